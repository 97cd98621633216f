package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Estimates the min-entropy of a sequence whose samples depend in any way on the sample at one fixed distance of up to
 * {@value #MAX_LAG}: {@code x[i] = S[x[i − lag]]} with a table S, and with noise. Not an estimate of SP 800-90B, whose
 * lag predictor expects equal samples, and whose other predictors use the last 16 samples.
 *
 * <p>The first half of the samples determines the lags with the most frequent pairs of values, and the most common
 * successor of each value. These successors predict the second half, which had no influence on the choice. The result
 * is only valid if the number of correct predictions is more than {@value #SIGMAS} standard deviations above the mean
 * for independent samples with the same frequencies.
 */
final class LaggedTransitionEstimate {
    /** Maximum distance between two samples. */
    static final int MAX_LAG = 4096;
    /**
     * Probability of an invalid result: at most 1e-6 per report. For each of the candidates it is below 1e-7, even if
     * only 48 predictions of independent samples are right on average, so that their number is Poisson distributed.
     */
    private static final int SIGMAS = 6;
    /** Maximum number of samples in which all lags are searched: 2^30 pairs, which takes a few seconds. */
    private static final int SEARCHED_SAMPLES = 1 << 18;

    private static final int CANDIDATES = 8;

    private final byte[] samples;
    private final int width;
    private final int mask;
    private final int[] counts;

    private LaggedTransitionEstimate(byte[] samples, int width) {
        this.samples = samples;
        this.width = width;
        mask = (1 << width) - 1;
        counts = new int[1 << (2 * width)];
    }

    /**
     * Returns the min-entropy in bits per sample; NaN if no dependency was found, or if the sequence is too short.
     *
     * @param samples one sample per byte, in the low bits
     * @param width width of a sample in bits, 2 to 8
     */
    static double of(byte[] samples, int width) {
        return samples.length < 4 * MAX_LAG ? Double.NaN : new LaggedTransitionEstimate(samples, width).estimate();
    }

    private double estimate() {
        double least = Double.NaN;
        for (int lag : candidates()) {
            double bits = ofLag(lag);
            if (Double.isNaN(least) || bits < least) {
                least = bits;
            }
        }
        return least;
    }

    /** Returns the lags with the most pairs of occurrences of the same two values. */
    private int[] candidates() {
        int to = Math.min(samples.length / 2, SEARCHED_SAMPLES);
        long[] repetitions = new long[MAX_LAG + 1];
        for (int lag = 1; lag <= MAX_LAG; lag++) {
            // The same number of pairs is counted for all lags.
            repetitions[lag] = count(lag, MAX_LAG, to);
        }
        return IntStream.rangeClosed(1, MAX_LAG)
                .boxed()
                .sorted(Comparator.comparingLong((Integer lag) -> repetitions[lag])
                        .reversed())
                .limit(CANDIDATES)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Counts the pairs of values of samples in a range. Returns the number of repetitions: sum of n(n − 1)/2. */
    private long count(int lag, int from, int to) {
        Arrays.fill(counts, 0);
        long repetitions = 0;
        for (int i = from; i < to; i++) {
            int pair = ((samples[i - lag] & mask) << width) | (samples[i] & mask);
            repetitions += counts[pair];
            counts[pair]++;
        }
        return repetitions;
    }

    private double ofLag(int lag) {
        int half = samples.length / 2;
        count(lag, lag, half);
        int[] successor = mostCommonSuccessors();
        int[] earlier = new int[mask + 1];
        int[] later = new int[mask + 1];
        int right = 0;
        for (int i = half + lag; i < samples.length; i++) {
            int before = samples[i - lag] & mask;
            int sample = samples[i] & mask;
            earlier[before]++;
            later[sample]++;
            right += successor[before] == sample ? 1 : 0;
        }
        int predictions = samples.length - half - lag;
        double byChance = 0;
        for (int value = 0; value <= mask; value++) {
            byChance += (double) earlier[value] * later[successor[value]] / predictions;
        }
        double deviation = Math.sqrt(byChance * (1 - byChance / predictions));
        return right > byChance + SIGMAS * deviation
                ? ConfidenceBound.minEntropy(ConfidenceBound.upper((double) right / predictions, predictions))
                : Double.NaN;
    }

    private int[] mostCommonSuccessors() {
        int[] successor = new int[mask + 1];
        for (int value = 0; value <= mask; value++) {
            int first = value << width;
            int best = first;
            for (int pair = first; pair <= first + mask; pair++) {
                best = counts[pair] > counts[best] ? pair : best;
            }
            successor[value] = best - first;
        }
        return successor;
    }
}
