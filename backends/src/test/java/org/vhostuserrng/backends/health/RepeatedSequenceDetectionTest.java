package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests which repetitions are detected, and how soon. */
class RepeatedSequenceDetectionTest {
    private static final int WINDOW = 32;
    /** Maximum distance between stored windows in bytes. */
    private static final int MAX_GAP = 64;
    /** Returned if the test does not fail. */
    private static final int NEVER = -1;

    private final SeenSequenceHashes seen = new SeenSequenceHashes(
            new Random(1).longs(SeenSequenceHashes.KEY_COUNT).toArray());
    private final RepeatedSequenceTester tester = new RepeatedSequenceTester(8, seen);

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Adds samples. Returns the number of samples after which the test failed first, or {@link #NEVER}. */
    private int firstFailure(byte[] samples) {
        int first = NEVER;
        for (int i = 0; i < samples.length; i++) {
            if (tester.addSample(samples[i] & 0xff) && first == NEVER) {
                first = i + 1;
            }
        }
        return first;
    }

    private static String check(NoiseHealthTester tests, byte[] bytes) {
        return tests.check(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    @Test
    void oneRepeatedWindowIsEnough() {
        int detected = 0;

        // One window in 16 is stored.
        for (int seed = 0; seed < 200; seed++) {
            firstFailure(random(seed, WINDOW));
            tester.restart();
            detected += firstFailure(random(seed, WINDOW)) == NEVER ? 0 : 1;
            tester.restart();
        }

        assertTrue(detected > 0);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void cycleOfTwoBytesIsDetectedAfterTwoGaps(long seed) {
        byte[] cycle = random(seed, 2);
        byte[] samples = new byte[1000];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = cycle[i % 2];
        }

        int detectedAfter = firstFailure(samples);

        // Possibly no hash of the windows of a cycle is selected, so that they are stored only because of the maximum
        // distance.
        assertTrue(detectedAfter >= WINDOW && detectedAfter < WINDOW + 2 * MAX_GAP, "after " + detectedAfter);
    }

    @Test
    void replayIsDetectedAfter96KibibytesOfOtherData() {
        byte[] replayed = random(1, 512);
        firstFailure(replayed);
        firstFailure(random(2, 96 << 10));

        int detectedAfter = firstFailure(replayed);

        assertTrue(detectedAfter != NEVER);
    }

    /** If a bit had no influence, hashes that differ only in this bit would be stored or omitted together. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 28, 31, 32, 33, 40, 47, 48, 56, 62, 63})
    void everyBitOfAHashDecidesWhetherItIsStored(int bit) {
        long[] hashes = new Random(bit).longs(1000).toArray();

        long changed = Arrays.stream(hashes)
                .filter(hash -> SeenSequenceHashes.isSampled(hash) != SeenSequenceHashes.isSampled(hash ^ 1L << bit))
                .count();

        assertTrue(changed > 0);
    }

    @Test
    void samplesBeforeARestartAreNotPartOfASequence() {
        NoiseHealthTester tests = new NoiseHealthTester(8, seen);
        for (int seed = 0; seed < 50; seed++) {
            byte[] whole = random(seed, 2 * (WINDOW - 1));
            check(tests, whole);
            tests.restart();

            String firstHalf = check(tests, Arrays.copyOf(whole, WINDOW - 1));
            tests.restart();
            String secondHalf = check(tests, Arrays.copyOfRange(whole, WINDOW - 1, whole.length));
            tests.restart();

            assertNull(firstHalf);
            assertNull(secondHalf);
        }
    }
}
