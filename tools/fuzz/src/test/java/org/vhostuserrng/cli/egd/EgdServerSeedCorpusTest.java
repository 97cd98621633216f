package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link EgdServerFuzzTarget}: sessions of EGD clients. */
class EgdServerSeedCorpusTest {
    @Test
    void writesSessions() throws IOException {
        List<byte[]> seeds = List.of(
                session(EgdProtocol.LEVEL),
                session(EgdProtocol.PID),
                session(EgdProtocol.READ_NON_BLOCKING, 100, EgdProtocol.READ_NON_BLOCKING, 255),
                session(EgdProtocol.READ_BLOCKING, 255, EgdProtocol.READ_BLOCKING, 64, EgdProtocol.LEVEL),
                session(EgdProtocol.WRITE, 0, 8, 3, 'a', 'b', 'c', EgdProtocol.READ_BLOCKING, 16));
        for (byte[] seed : seeds) {
            EgdServerFuzzTarget.fuzzerTestOneInput(seed);
        }

        FuzzCorpus.write(EgdServerFuzzTarget.class, seeds);
    }

    private static byte[] session(int... commands) {
        FuzzInputWriter steps = new FuzzInputWriter();
        steps.u8(EgdServerFuzzTarget.ALLOW - 1).u8(commands.length);
        for (int value : commands) {
            steps.u8(value);
        }
        return steps.u8(EgdServerFuzzTarget.ALLOW + 3).u8(255).toByteArray();
    }
}
