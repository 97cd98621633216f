package org.vhostuserrng.cli.checksource.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the estimates of distributions with a known min-entropy. */
class FrequencyEstimatesTest {
    private static final int SAMPLES = 1_000_000;

    private final SplittableRandom random = new SplittableRandom(1);

    private static SymbolSequence of(IntSupplier symbols) {
        byte[] samples = new byte[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            samples[i] = (byte) symbols.getAsInt();
        }
        return SymbolSequence.ofSamples(samples);
    }

    private int biased(double one) {
        return random.nextDouble() < one ? 1 : 0;
    }

    /** The example in SP 800-90B §6.3.1: 20 samples, 8 of them with the most common value. */
    @Test
    void mostCommonValueEstimateMatchesTheDocumentsExample() {
        assertEquals(0.5363, FrequencyEstimates.mostCommonValue(8, 20), 0.0001);
    }

    @ParameterizedTest
    @CsvSource({"256, 8", "16, 4", "2, 1"})
    void uniformSymbolsHaveTheLogarithmOfTheirNumber(int symbols, double bits) {
        assertEquals(bits, FrequencyEstimates.mostCommonValue(of(() -> random.nextInt(symbols))), 0.15);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 0.6, 0.75, 0.9, 0.1})
    void markovEstimateOfIndependentBitsIsTheirMinEntropy(double one) {
        double expected = -Math.log(Math.max(one, 1 - one)) / Math.log(2);

        assertEquals(expected, FrequencyEstimates.markov(of(() -> biased(one))), 0.01);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.6, 0.75, 0.9, 0.1})
    void collisionEstimateOfIndependentBitsIsTheirMinEntropy(double one) {
        double expected = -Math.log(Math.max(one, 1 - one)) / Math.log(2);

        assertEquals(expected, FrequencyEstimates.collision(of(() -> biased(one))), 0.03);
    }

    @Test
    void markovEstimateDetectsAlternatingBits() {
        int[] last = new int[1];

        assertEquals(1.0 / 128, FrequencyEstimates.markov(of(() -> last[0] ^= 1)), 1e-3);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.6, 0.8, 0.95})
    void markovEstimateDetectsRepeatingBits(double same) {
        int[] last = new int[1];
        SymbolSequence repeating = of(() -> last[0] ^= 1 - biased(same));
        double expected = (1 - 127 * Math.log(same) / Math.log(2)) / 128;

        assertEquals(expected, FrequencyEstimates.markov(repeating), 0.01);
    }
}
