package org.vhostuserrng.cli.checksource;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Estimates for distributions with a known min-entropy. */
class MinEntropyEstimatorsTest {
    private static final int SAMPLES = 1_000_000;

    private final SplittableRandom random = new SplittableRandom(1);

    private static ByteStatistics of(IntSupplier bytes) {
        ByteStatistics statistics = new ByteStatistics();
        for (int i = 0; i < SAMPLES; i++) {
            statistics.add(bytes.getAsInt());
        }
        return statistics;
    }

    private static double mostCommonValue(ByteStatistics of) {
        return MinEntropyEstimators.mostCommonValue(of.mostCommonByte(), of.bytes());
    }

    /** A byte of independent bits, each 1 with probability {@code one}. */
    private int biased(double one) {
        int value = 0;
        for (int i = 0; i < Byte.SIZE; i++) {
            value = value << 1 | (random.nextDouble() < one ? 1 : 0);
        }
        return value;
    }

    /** The example in SP 800-90B §6.3.1: 20 samples, 8 of them with the most common value. */
    @Test
    void mostCommonValueEstimateMatchesTheDocumentsExample() {
        assertEquals(0.5363, MinEntropyEstimators.mostCommonValue(8, 20), 0.0001);
    }

    @ParameterizedTest
    @CsvSource({"256, 8", "16, 4", "2, 1"})
    void uniformBytesHaveTheLogarithmOfTheirNumberOfValues(int values, double bits) {
        assertEquals(bits, mostCommonValue(of(() -> random.nextInt(values))), 0.15);
    }

    @Test
    void constantHasNoEntropy() {
        assertEquals(0, mostCommonValue(of(() -> 7)), 1e-9);
        assertEquals(0, MinEntropyEstimators.markov(of(() -> 0)), 1e-9);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 0.6, 0.75, 0.9, 0.1})
    void markovEstimateOfIndependentBitsIsTheirMinEntropy(double one) {
        double expected = -Math.log(Math.max(one, 1 - one)) / Math.log(2);

        assertEquals(expected, MinEntropyEstimators.markov(of(() -> biased(one))), 0.01);
    }

    @Test
    void markovEstimateDetectsAlternatingBits() {
        assertEquals(1.0 / 128, MinEntropyEstimators.markov(of(() -> 0x55)), 1e-3);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.6, 0.8, 0.95})
    void markovEstimateDetectsRepeatingBits(double same) {
        int[] last = new int[1];
        ByteStatistics statistics = of(() -> {
            int value = 0;
            for (int i = 0; i < Byte.SIZE; i++) {
                last[0] = random.nextDouble() < same ? last[0] : 1 - last[0];
                value = value << 1 | last[0];
            }
            return value;
        });
        double expected = (1 - 127 * Math.log(same) / Math.log(2)) / 128;

        assertEquals(expected, MinEntropyEstimators.markov(statistics), 0.01);
    }
}
