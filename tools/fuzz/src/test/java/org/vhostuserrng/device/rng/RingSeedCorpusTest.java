package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;

/**
 * Writes the seed corpora of {@link SplitRingFuzzTarget} and {@link PackedRingFuzzTarget}: recordings of a conforming
 * driver.
 */
class RingSeedCorpusTest {
    private static final int SEEDS = 40;
    private static final int ROUNDS = 8;

    @Test
    void recordsDriversOfSplitVirtqueues() throws IOException, InvalidVirtqueueException {
        FuzzCorpus.write(SplitRingFuzzTarget.class, record(false));
    }

    @Test
    void recordsDriversOfPackedVirtqueues() throws IOException, InvalidVirtqueueException {
        FuzzCorpus.write(PackedRingFuzzTarget.class, record(true));
    }

    private static List<byte[]> record(boolean packed) throws InvalidVirtqueueException {
        List<byte[]> seeds = new ArrayList<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            DriverSeedRecorder driver = new DriverSeedRecorder(packed, seed);
            byte[] recorded = driver.record(ROUNDS);
            assertTrue(driver.served() >= ROUNDS / 2, "served " + driver.served());
            RingDifferentialFuzzer.run(packed, recorded);
            seeds.add(recorded);
        }
        return seeds;
    }
}
