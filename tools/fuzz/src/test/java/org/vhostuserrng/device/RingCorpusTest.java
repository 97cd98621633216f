package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.Corpus;
import org.vhostuserrng.transport.InvalidQueueException;

/** Writes what drivers that keep the rules do, for the fuzzing of both kinds of rings. */
class RingCorpusTest {
    private static final int SEEDS = 40;
    private static final int ROUNDS = 8;

    @Test
    void recordsDriversOfSplitVirtqueues() throws IOException, InvalidQueueException {
        Corpus.write(SplitRingFuzzTarget.class, record(false));
    }

    @Test
    void recordsDriversOfPackedVirtqueues() throws IOException, InvalidQueueException {
        Corpus.write(PackedRingFuzzTarget.class, record(true));
    }

    private static List<byte[]> record(boolean packed) throws InvalidQueueException {
        List<byte[]> seeds = new ArrayList<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            RecordedDriver driver = new RecordedDriver(packed, seed);
            byte[] recorded = driver.record(ROUNDS);
            assertTrue(driver.served() >= ROUNDS / 2, "served " + driver.served());
            RingRun.run(packed, recorded);
            seeds.add(recorded);
        }
        return seeds;
    }
}
