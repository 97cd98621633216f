package org.vhostuserrng.device.rng;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.limiter.GuestRateLimiter.LimiterUsage;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link RngMigrationStateFuzzTarget}: valid device states. */
class RngMigrationStateSeedCorpusTest {
    @Test
    void writesStates() throws IOException {
        RngMigrationState used = new RngMigrationState(new RngCounts(1, 2, 3, 4, 5), new LimiterUsage(9, 10, 11));
        List<byte[]> seeds = List.of(seed(new FuzzedRngDevice().device.saveState(0)), seed(used.encode()));
        seeds.forEach(RngMigrationStateFuzzTarget::fuzzerTestOneInput);

        FuzzCorpus.write(RngMigrationStateFuzzTarget.class, seeds);
    }

    private static byte[] seed(byte[] state) {
        return new FuzzInputWriter().u8(1).bytes(state).toByteArray();
    }
}
