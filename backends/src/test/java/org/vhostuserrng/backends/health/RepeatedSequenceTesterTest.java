package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RepeatedSequenceTesterTest {
    private final SeenSequenceHashes seen = new SeenSequenceHashes(
            new Random(1).longs(SeenSequenceHashes.KEY_COUNT).toArray());
    private final RepeatedSequenceTester tester = new RepeatedSequenceTester(8, seen);

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Adds samples. Returns the number of samples at which the test failed. */
    private long failures(byte[] samples) {
        return LongStream.range(0, samples.length)
                .filter(i -> tester.addSample(samples[(int) i] & 0xff))
                .count();
    }

    @ParameterizedTest
    @CsvSource({"8, 32", "2, 32", "1, 64", "0.5, 128"})
    void windowHasTheEntropyOfAKey(double minEntropy, int window) {
        assertEquals(window, new RepeatedSequenceTester(minEntropy, seen).window());
    }

    @Test
    void newSequencesPass() {
        assertEquals(0, failures(random(2, 100_000)));
    }

    @Test
    void repeatedSequenceFailsWhereverItStarts() {
        failures(random(3, 5000));
        failures(random(4, 17));

        assertTrue(failures(random(3, 5000)) > 0);
    }

    @Test
    void repetitionIsDetectedAfterARestart() {
        failures(random(3, 5000));

        tester.restart();

        assertTrue(failures(random(3, 5000)) > 0);
    }

    @Test
    void fewerSamplesThanAWindowPass() {
        byte[] start = random(3, tester.window() - 1);
        failures(start);
        tester.restart();

        assertEquals(0, failures(start));
    }

    @Test
    void windowThatEndsTheFirstSequenceIsNotPartOfTheNextAfterARestart() {
        failures(random(3, 5000));
        tester.restart();

        assertFalse(failures(random(5, 5000)) > 0);
    }
}
