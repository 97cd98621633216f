package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
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

    @ParameterizedTest
    @CsvSource({"8, 4", "7, 4", "6, 5", "4, 6", "2, 11", "1, 21", "0.5, 41"})
    void repetitionCountCutoffs(double minEntropy, int cutoff) {
        assertEquals(cutoff, new RepetitionCountTester(minEntropy).cutoff());
    }

    /** SP 800-90B §4.4.2, table 2, and values computed from its formula. */
    @ParameterizedTest
    @CsvSource({"8, 13", "7, 18", "6, 25", "4, 62", "2, 177", "1, 311", "0.5, 410"})
    void adaptiveProportionCutoffs(double minEntropy, int cutoff) {
        assertEquals(cutoff, new AdaptiveProportionTester(minEntropy).cutoff());
    }

    @Test
    void repetitionCountFailsAtTheCutoff() {
        RepetitionCountTester tester = new RepetitionCountTester(8);

        tester.addSample(7);
        tester.addSample(7);
        boolean third = tester.addSample(7);
        boolean fourth = tester.addSample(7);

        assertFalse(third);
        assertTrue(fourth);
    }

    @Test
    void adaptiveProportionCountsEachWindowSeparately() {
        AdaptiveProportionTester tester = new AdaptiveProportionTester(8);
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
}
