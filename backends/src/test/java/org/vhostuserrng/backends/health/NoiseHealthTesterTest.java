package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NoiseHealthTesterTest {
    private static String check(NoiseHealthTester tests, byte[] bytes) {
        return tests.check(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** The cutoffs of SP 800-90B §4.4.1, which are limited to the number of start-up samples. */
    @ParameterizedTest
    @CsvSource({
        "8, 20, 4",
        "7, 20, 4",
        "6, 20, 5",
        "4, 20, 6",
        "2, 20, 11",
        "1, 20, 21",
        "0.5, 20, 41",
        "8, 40, 6",
        "7, 40, 7",
        "1, 40, 41",
        "0.5, 40, 81",
        "0.25, 33, 133",
        "0.02, 20, 1001",
        "0.02, 40, 1024"
    })
    void repetitionCountCutoffs(double minEntropy, int minusLog2Alpha, int cutoff) {
        assertEquals(cutoff, new RepetitionCountTester(minEntropy, minusLog2Alpha).cutoff());
    }

    @Test
    void repetitionCountFailsAtTheCutoff() {
        RepetitionCountTester tester = new RepetitionCountTester(8, 20);

        tester.addSample(7);
        tester.addSample(7);
        boolean third = tester.addSample(7);
        boolean fourth = tester.addSample(7);

        assertFalse(third);
        assertTrue(fourth);
    }

    @Test
    void adaptiveProportionCountsEachWindowSeparately() {
        AdaptiveProportionTester tester = new AdaptiveProportionTester(8, 20);
        boolean failed = false;

        for (int window = 0; window < 3; window++) {
            for (int i = 0; i < AdaptiveProportionTester.WINDOW; i++) {
                failed |= tester.addSample(i % 43 == 0 ? 200 : i % 199);
            }
        }

        assertFalse(failed);
    }

    @ParameterizedTest
    @ValueSource(doubles = {8, 4, 1, 0.25, 0.02})
    void randomBytesPass(double minEntropy) {
        NoiseHealthTester tests = new NoiseHealthTester(minEntropy);

        String failure = check(tests, random(1, 1 << 20));

        assertNull(failure);
        assertTrue(tests.hasPassedStartup());
    }

    @ParameterizedTest
    @ValueSource(doubles = {8, 4, 1, 0.25, 0.02})
    void stuckSourceFailsStartupTests(double minEntropy) {
        NoiseHealthTester tests = new NoiseHealthTester(minEntropy);

        assertNotNull(check(tests, new byte[NoiseHealthTester.STARTUP_SAMPLES]));
    }

    @Test
    void biasedSourceFails() {
        NoiseHealthTester tests = new NoiseHealthTester(4);
        byte[] biased = random(2, 4096);
        for (int i = 0; i < biased.length; i += 4) {
            biased[i] = 0;
        }

        assertNotNull(check(tests, biased));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7, 31, 32, 33, 255, 256, 1000, 4096, 65_536})
    void cycleOfAnyLengthFails(int length) {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] cycle = random(length, length);
        byte[] bytes = new byte[length + Math.max(length, 4096)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = cycle[i % length];
        }

        String failure = check(tests, bytes);

        assertNotNull(failure);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 100, 1000})
    void replayedBufferFailsAtAnyOffset(int between) {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] buffer = random(3, 1024);
        check(tests, buffer);
        check(tests, random(4, 30_000 + between));

        String failure = check(tests, buffer);

        assertNotNull(failure);
        assertTrue(failure.startsWith("repeated sequence test"), failure);
    }

    @Test
    void startupTakes1024Samples() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] bytes = random(5, 1024);

        check(tests, Arrays.copyOf(bytes, 1023));
        boolean before = tests.hasPassedStartup();
        check(tests, Arrays.copyOfRange(bytes, 1023, 1024));

        assertFalse(before);
        assertTrue(tests.hasPassedStartup());
    }

    @Test
    void restartRepeatsStartupTests() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        check(tests, random(6, 2048));

        tests.restart();

        assertFalse(tests.hasPassedStartup());
        assertNull(check(tests, random(7, 1024)));
    }

    @Test
    void sequencesBeforeRestartStillCount() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] bytes = random(6, 2048);
        check(tests, bytes);

        tests.restart();

        assertNotNull(check(tests, bytes));
    }

    /**
     * Columns: min-entropy, maximum number of samples after which a source that was healthy before is detected as
     * stuck.
     */
    @ParameterizedTest
    @CsvSource({"8, 6", "4, 11", "1, 41", "0.25, 161", "0.02, 1024"})
    void stuckSourceIsDetectedWithinTheCutoff(double minEntropy, int samples) {
        NoiseHealthTester tests = new NoiseHealthTester(minEntropy);
        check(tests, random(8, 5000));

        assertNotNull(check(tests, new byte[samples]));
    }

    /** A source of half the declared min-entropy H: one value has the probability 2^(−H/2). */
    @ParameterizedTest
    @ValueSource(doubles = {8, 6, 4, 2, 1})
    void sourceOfHalfTheClaimIsDetectedWithin50000Samples(double minEntropy) {
        NoiseHealthTester tests = new NoiseHealthTester(minEntropy);
        Random random = new Random(3);
        byte[] biased = random(9, 50_000);
        for (int i = 0; i < biased.length; i++) {
            if (random.nextDouble() < Math.pow(2, -minEntropy / 2)) {
                biased[i] = 0;
            }
        }

        assertNotNull(check(tests, biased));
    }

    /** With α = 2^−20, ideal bytes would fail the repetition count test about once in 16 MiB. */
    @Test
    void manyIdealBytesPass() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        SplittableRandom random = new SplittableRandom(11);
        byte[] block = new byte[1 << 20];
        for (int mebibytes = 0; mebibytes < 64; mebibytes++) {
            random.nextBytes(block);

            assertNull(check(tests, block));
        }
    }

    @Test
    void onlyTheSecondFailureInARowIsAnAlarm() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        check(tests, new byte[1024]);
        boolean first = tests.isAlarm();
        tests.restart();

        check(tests, new byte[1024]);

        assertFalse(first);
        assertTrue(tests.isAlarm());
    }

    @Test
    void failureSaysHowOftenChanceExplainsIt() {
        long[] nanos = {0};
        NoiseHealthTester tests = new NoiseHealthTester(
                8,
                new SeenSequenceHashes(
                        new Random(1).longs(SeenSequenceHashes.KEY_COUNT).toArray()),
                () -> nanos[0]);
        String unmeasured = tests.chanceOfFailure();
        check(tests, random(12, 60 << 20));
        nanos[0] = TimeUnit.MINUTES.toNanos(1);
        check(tests, random(13, 1));

        assertEquals("every 292 years or less often", unmeasured);
        assertEquals("every 12 days", tests.chanceOfFailure());
    }
}
