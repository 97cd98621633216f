package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.Corpus;
import org.vhostuserrng.fuzz.FuzzOutput;

/** Writes what EGD clients send for {@link EgdServerFuzzTarget}. */
class EgdServerCorpusTest {
    @Test
    void writesConversations() throws IOException {
        List<byte[]> seeds = List.of(
                conversation(Egd.LEVEL),
                conversation(Egd.PID),
                conversation(Egd.READ_NON_BLOCKING, 100, Egd.READ_NON_BLOCKING, 255),
                conversation(Egd.READ_BLOCKING, 255, Egd.READ_BLOCKING, 64, Egd.LEVEL),
                conversation(Egd.WRITE, 0, 8, 3, 'a', 'b', 'c', Egd.READ_BLOCKING, 16));
        for (byte[] seed : seeds) {
            EgdServerFuzzTarget.fuzzerTestOneInput(seed);
        }

        Corpus.write(EgdServerFuzzTarget.class, seeds);
    }

    private static byte[] conversation(int... commands) {
        FuzzOutput steps = new FuzzOutput();
        steps.u8(EgdServerFuzzTarget.ALLOW - 1).u8(commands.length);
        for (int each : commands) {
            steps.u8(each);
        }
        return steps.u8(EgdServerFuzzTarget.ALLOW + 3).u8(255).toByteArray();
    }
}
