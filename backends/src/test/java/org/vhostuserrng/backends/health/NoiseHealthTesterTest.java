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

/** SP 800-90B §4.4, and what finds a source that repeats itself. */
class NoiseHealthTesterTest {
    private static String test(NoiseHealthTester tests, byte[] bytes) {
        return tests.test(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({"8, 4", "7, 4", "6, 5", "4, 6", "2, 11", "1, 21", "0.5, 41"})
    void repetitionCountHasTheCutoffsOfTheStandard(double minEntropy, int cutoff) {
        assertEquals(cutoff, new RepetitionCountTester(minEntropy).cutoff());
    }

    /** SP 800-90B §4.4.2, table 2, and values computed from its formula. */
    @ParameterizedTest
    @CsvSource({"8, 13", "7, 18", "6, 25", "4, 62", "2, 177", "1, 311", "0.5, 410"})
    void adaptiveProportionHasTheCutoffsOfTheStandard(double minEntropy, int cutoff) {
        assertEquals(cutoff, new AdaptiveProportionTester(minEntropy).cutoff());
    }

    @Test
    void byteAsOftenInARowAsTheCutoffFails() {
        RepetitionCountTester test = new RepetitionCountTester(8);

        test.failsWith(7);
        test.failsWith(7);
        boolean third = test.failsWith(7);
        boolean fourth = test.failsWith(7);

        assertFalse(third);
        assertTrue(fourth);
    }

    @Test
    void proportionIsCountedInEachWindowAnew() {
        AdaptiveProportionTester test = new AdaptiveProportionTester(8);
        boolean failed = false;

        for (int window = 0; window < 3; window++) {
            for (int i = 0; i < AdaptiveProportionTester.WINDOW; i++) {
                failed |= test.failsWith(i % 43 == 0 ? 200 : i % 199);
            }
        }

        assertFalse(failed);
    }

    @ParameterizedTest
    @ValueSource(doubles = {8, 4, 1, 0.25, 0.02})
    void randomBytesPass(double minEntropy) {
        NoiseHealthTester tests = new NoiseHealthTester(minEntropy);

        String fault = test(tests, random(1, 1 << 20));

        assertNull(fault);
        assertTrue(tests.hasStarted());
    }

    @ParameterizedTest
    @ValueSource(doubles = {8, 4, 1, 0.25, 0.02})
    void stuckSourceFailsWithinTheStartUpTests(double minEntropy) {
        NoiseHealthTester tests = new NoiseHealthTester(minEntropy);

        assertNotNull(test(tests, new byte[NoiseHealthTester.STARTUP_SAMPLES]));
    }

    @Test
    void biasedSourceFails() {
        NoiseHealthTester tests = new NoiseHealthTester(4);
        byte[] biased = random(2, 4096);
        for (int i = 0; i < biased.length; i += 4) {
            biased[i] = 0;
        }

        assertNotNull(test(tests, biased));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7, 31, 32, 33, 255, 256, 1000, 4096, 65_536})
    void cycleOfAnyLengthFailsSoonAfterItBeganAgain(int length) {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] cycle = random(length, length);
        byte[] bytes = new byte[length + Math.max(length, 4096)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = cycle[i % length];
        }

        String fault = test(tests, bytes);

        assertNotNull(fault);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 100, 1000})
    void replayedBufferFailsWherever(int between) {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] buffer = random(3, 1024);
        test(tests, buffer);
        test(tests, random(4, 30_000 + between));

        String fault = test(tests, buffer);

        assertNotNull(fault);
        assertTrue(fault.startsWith("repeated sequence test"), fault);
    }

    @Test
    void startUpTakesAsManySamplesAsTheStandardAsks() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] bytes = random(5, 1024);

        test(tests, Arrays.copyOf(bytes, 1023));
        boolean before = tests.hasStarted();
        test(tests, Arrays.copyOfRange(bytes, 1023, 1024));

        assertFalse(before);
        assertTrue(tests.hasStarted());
    }

    @Test
    void startUpBeginsAnewAfterARestart() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        test(tests, random(6, 2048));

        tests.restart();

        assertFalse(tests.hasStarted());
        assertNull(test(tests, random(7, 1024)));
    }

    @Test
    void whatWasGivenBeforeARestartIsStillKnownAfterIt() {
        NoiseHealthTester tests = new NoiseHealthTester(8);
        byte[] bytes = random(6, 2048);
        test(tests, bytes);

        tests.restart();

        assertNotNull(test(tests, bytes));
    }
}
