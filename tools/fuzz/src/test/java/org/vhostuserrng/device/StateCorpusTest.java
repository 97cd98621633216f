package org.vhostuserrng.device;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.Quota.Spent;
import org.vhostuserrng.fuzz.Corpus;
import org.vhostuserrng.fuzz.FuzzOutput;

/** Writes states that devices were in, for {@link StateFuzzTarget}. */
class StateCorpusTest {
    @Test
    void writesStates() throws IOException {
        RngState used = new RngState(new RngCounters.Snapshot(1, 2, 3, 4, 5), new Spent(9, 10, 11));
        List<byte[]> seeds = List.of(seed(new FuzzedGuest().device.saveState(0)), seed(used.encode()));
        seeds.forEach(StateFuzzTarget::fuzzerTestOneInput);

        Corpus.write(StateFuzzTarget.class, seeds);
    }

    private static byte[] seed(byte[] state) {
        return new FuzzOutput().u8(1).bytes(state).toByteArray();
    }
}
