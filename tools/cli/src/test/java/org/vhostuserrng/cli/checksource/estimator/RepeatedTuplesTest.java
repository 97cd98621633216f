package org.vhostuserrng.cli.checksource.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compares the results with counts of every tuple, which SP 800-90B §6.3.5 and §6.3.6 describe. */
class RepeatedTuplesTest {
    private static byte[] samples(int alphabet, int length, int repeatPercent) {
        Random random = new Random(alphabet + 31L * repeatPercent);
        byte[] samples = new byte[length];
        for (int i = 0; i < length; i++) {
            boolean repeats = i > 20 && random.nextInt(100) < repeatPercent;
            samples[i] = repeats ? samples[i - 20] : (byte) random.nextInt(alphabet);
        }
        return samples;
    }

    private static Map<ByteBuffer, Integer> count(byte[] samples, int length) {
        Map<ByteBuffer, Integer> counts = new HashMap<>();
        for (int i = 0; i + length <= samples.length; i++) {
            counts.merge(ByteBuffer.wrap(samples, i, length).slice(), 1, Integer::sum);
        }
        return counts;
    }

    private static double bound(double p, int samples) {
        return ConfidenceBound.minEntropy(ConfidenceBound.upper(p, samples));
    }

    @ParameterizedTest
    @CsvSource({"2, 300, 0", "2, 300, 90", "4, 1000, 0", "4, 1000, 80", "16, 1000, 99"})
    void estimatesEqualThoseOfAllTuplesCounted(int alphabet, int length, int repeatPercent) {
        byte[] samples = samples(alphabet, length, repeatPercent);
        double tTuple = 0;
        double repeated = 0;
        for (int size = 1; size < length; size++) {
            int most = count(samples, size).values().stream()
                    .mapToInt(Integer::intValue)
                    .max()
                    .orElse(0);
            double tuples = length - size + 1.0;
            double pairs = count(samples, size).values().stream()
                    .mapToDouble(each -> each * (each - 1.0) / 2)
                    .sum();
            if (most >= 35) {
                tTuple = Math.max(tTuple, Math.pow(most / tuples, 1.0 / size));
            } else if (most >= 2) {
                repeated = Math.max(repeated, Math.pow(pairs / (tuples * (tuples - 1) / 2), 1.0 / size));
            }
        }

        RepeatedTuples estimates = RepeatedTuples.of(SymbolSequence.ofSamples(samples));

        assertEquals(bound(tTuple, length), estimates.tTuple(), 1e-9);
        assertEquals(bound(repeated, length), estimates.longestRepeatedSubstring(), 1e-9);
    }

    @Test
    void differentSymbolsHaveNoEstimate() {
        byte[] different = new byte[30];
        for (int i = 0; i < different.length; i++) {
            different[i] = (byte) i;
        }

        RepeatedTuples estimates = RepeatedTuples.of(SymbolSequence.ofSamples(different));

        assertTrue(Double.isNaN(estimates.tTuple()));
        assertTrue(Double.isNaN(estimates.longestRepeatedSubstring()));
    }

    @Test
    void repeatedHalfHasLittleEntropy() {
        byte[] once = samples(256, 5000, 0);
        byte[] twice = Arrays.copyOf(once, 10_000);
        System.arraycopy(once, 0, twice, 5000, 5000);

        assertTrue(RepeatedTuples.of(SymbolSequence.ofSamples(twice)).longestRepeatedSubstring() < 0.01);
    }

    /**
     * Tuples of all lengths up to half a million occur often: an algorithm that is not linear would not end in time.
     */
    @Test
    @Timeout(120)
    void sequenceWithShortPeriodTakesLinearTime() {
        byte[] periodic = new byte[1_000_000];
        for (int i = 0; i < periodic.length; i++) {
            periodic[i] = (byte) (i % 1000 % 7);
        }

        RepeatedTuples estimates = RepeatedTuples.of(SymbolSequence.ofSamples(periodic));

        assertEquals(0, estimates.tTuple(), 0.001);
    }
}
