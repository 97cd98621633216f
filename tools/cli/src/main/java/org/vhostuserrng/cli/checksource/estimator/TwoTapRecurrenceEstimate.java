package org.vhostuserrng.cli.checksource.estimator;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Estimates the min-entropy of a sequence in which a sample or bit depends, with noise, on two earlier ones by XOR, sum
 * or difference: a shift register with two taps, a lagged Fibonacci generator, or a value that changes at a constant
 * rate. Not an estimate of SP 800-90B, whose predictors find such a recurrence only if it depends on the last 16
 * samples and these samples occur more than once.
 *
 * <p>All pairs of distances are tried with the first samples. The best pairs are then evaluated with the other samples,
 * because the success of the best of many pairs is partly due to chance.
 */
final class TwoTapRecurrenceEstimate {
    /** Maximum distance of an earlier bit. */
    static final int MAX_BITS = 256;
    /** Maximum distance of an earlier sample. */
    static final int MAX_SAMPLES = 32;

    private static final int SCREENED_BITS = 1 << 17;
    private static final int EVALUATED_BITS = 1 << 20;
    private static final int SCREENED_SAMPLES = 1 << 15;
    private static final int CANDIDATES = 8;

    private TwoTapRecurrenceEstimate() {}

    /**
     * Returns the min-entropy in bits per sample; NaN if the sequence is too short.
     *
     * @param samples one sample per byte, in the low bits
     * @param width width of a sample in bits, 2 to 8
     */
    static double ofSamples(byte[] samples, int width) {
        if (samples.length <= 4 * MAX_SAMPLES) {
            return Double.NaN;
        }
        int screened = Math.min(samples.length / 2, SCREENED_SAMPLES);
        ResidualCounts part = new ResidualCounts(samples, 0, screened, width);
        ResidualCounts rest = new ResidualCounts(samples, screened, samples.length, width);
        double least = Double.POSITIVE_INFINITY;
        for (ResidualCounts.Residual residual : List.<ResidualCounts.Residual>of(
                (sample, one, other) -> sample ^ one ^ other,
                (sample, one, other) -> sample - one - other,
                (sample, one, other) -> sample - one + other,
                (sample, one, other) -> sample - 2 * one + other)) {
            int bestOne = 1;
            int bestOther = 2;
            double best = Double.POSITIVE_INFINITY;
            for (int one = 1; one <= MAX_SAMPLES; one++) {
                for (int other = 1; other <= MAX_SAMPLES; other++) {
                    double bits = one == other ? best : part.of(one, other, residual);
                    if (bits < best) {
                        best = bits;
                        bestOne = one;
                        bestOther = other;
                    }
                }
            }
            least = Math.min(least, rest.of(bestOne, bestOther, residual));
        }
        return least;
    }

    private record Taps(int one, int other, long deviation) {}

    /**
     * Returns the min-entropy in bits per bit if a bit is the XOR of two earlier bits; NaN if the sequence is too
     * short.
     */
    static double ofBits(SymbolSequence bits) {
        int length = Math.min(bits.length(), EVALUATED_BITS);
        if (length <= 4 * MAX_BITS) {
            return Double.NaN;
        }
        long[][] shifted = new long[MAX_BITS + 1][];
        for (int distance = 0; distance <= MAX_BITS; distance++) {
            shifted[distance] = packed(bits, MAX_BITS - distance, length - MAX_BITS);
        }
        int words = shifted[0].length;
        int screened = Math.min(words / 2, SCREENED_BITS / Long.SIZE);
        List<Taps> candidates = new ArrayList<>();
        for (int one = 1; one <= MAX_BITS; one++) {
            for (int other = one + 1; other <= MAX_BITS; other++) {
                candidates.add(new Taps(one, other, deviation(shifted, one, other, 0, screened)));
            }
        }
        candidates.sort(Comparator.comparingLong(Taps::deviation).reversed());
        double most = 0.5;
        long predictions = (long) (words - screened) * Long.SIZE;
        for (Taps taps : candidates.subList(0, CANDIDATES)) {
            long deviation = deviation(shifted, taps.one(), taps.other(), screened, words);
            most = Math.max(most, 0.5 + (double) deviation / predictions);
        }
        return ConfidenceBound.minEntropy(ConfidenceBound.upper(most, predictions));
    }

    /** Packs bits from index {@code from} into words of 64 bits. Bits that do not fill a word are left out. */
    private static long[] packed(SymbolSequence bits, int from, int length) {
        long[] words = new long[length / Long.SIZE];
        for (int i = 0; i < words.length * Long.SIZE; i++) {
            words[i / Long.SIZE] |= (long) bits.at(from + i) << i;
        }
        return words;
    }

    /**
     * Returns by how much the number of bits that equal the XOR of the two earlier bits differs from half of all bits.
     * The range from {@code from} to {@code to}, exclusive, is in words.
     */
    private static long deviation(long[][] shifted, int one, int other, int from, int to) {
        long[] current = shifted[0];
        long[] first = shifted[one];
        long[] second = shifted[other];
        long odd = 0;
        for (int i = from; i < to; i++) {
            odd += Long.bitCount(current[i] ^ first[i] ^ second[i]);
        }
        return Math.abs(odd - (long) (to - from) * Long.SIZE / 2);
    }
}
