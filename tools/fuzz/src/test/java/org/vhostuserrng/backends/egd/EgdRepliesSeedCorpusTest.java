package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link EgdRepliesFuzzTarget}: servers that follow the protocol. */
class EgdRepliesSeedCorpusTest {
    private static final int REPLY_BYTES = 32;

    @Test
    void writesRepliesSplitAnywhere() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (int seed = 0; seed < 8; seed++) {
            Random random = new Random(seed);
            FuzzInputWriter steps = new FuzzInputWriter();
            // In three reads the client starts to connect, completes the connection, and sends requests.
            read(steps);
            read(steps);
            read(steps);
            for (int i = 0; i < 12; i++) {
                int first = random.nextInt(REPLY_BYTES);
                steps.u8(first).u8(EgdRepliesFuzzTarget.READ).u8(REPLY_BYTES - first);
                read(steps);
            }
            steps.u8(EgdRepliesFuzzTarget.HANG_UP);
            read(steps);
            byte[] input = steps.toByteArray();
            EgdRepliesFuzzTarget.fuzzerTestOneInput(input);
            seeds.add(input);
        }

        FuzzCorpus.write(EgdRepliesFuzzTarget.class, seeds);
    }

    private static void read(FuzzInputWriter steps) {
        steps.u8(EgdRepliesFuzzTarget.READ);
    }
}
