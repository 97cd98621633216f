package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes what EGD clients send for {@link EgdServerFuzzTarget}. */
class EgdServerSeedCorpusTest {
    @Test
    void writesConversations() throws IOException {
        List<byte[]> seeds = List.of(
                conversation(EgdProtocol.LEVEL),
                conversation(EgdProtocol.PID),
                conversation(EgdProtocol.READ_NON_BLOCKING, 100, EgdProtocol.READ_NON_BLOCKING, 255),
                conversation(EgdProtocol.READ_BLOCKING, 255, EgdProtocol.READ_BLOCKING, 64, EgdProtocol.LEVEL),
                conversation(EgdProtocol.WRITE, 0, 8, 3, 'a', 'b', 'c', EgdProtocol.READ_BLOCKING, 16));
        for (byte[] seed : seeds) {
            EgdServerFuzzTarget.fuzzerTestOneInput(seed);
        }

        FuzzCorpus.write(EgdServerFuzzTarget.class, seeds);
    }

    private static byte[] conversation(int... commands) {
        FuzzInputWriter steps = new FuzzInputWriter();
        steps.u8(EgdServerFuzzTarget.ALLOW - 1).u8(commands.length);
        for (int each : commands) {
            steps.u8(each);
        }
        return steps.u8(EgdServerFuzzTarget.ALLOW + 3).u8(255).toByteArray();
    }
}
