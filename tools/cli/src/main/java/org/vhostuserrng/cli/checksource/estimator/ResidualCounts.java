package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Computes the min-entropy of samples that are predicted from earlier samples. It depends on how often the most common
 * residual occurs: the XOR or the difference of sample and prediction.
 */
final class ResidualCounts {
    private final byte[] samples;
    private final int from;
    private final int to;
    private final int mask;
    private final int[] counts;

    /**
     * Prepares to count the residuals of samples.
     *
     * @param samples one sample per byte, in the low bits
     * @param from index of the first sample
     * @param to index after the last sample
     * @param width width of a sample in bits, 1 to 8
     */
    ResidualCounts(byte[] samples, int from, int to, int width) {
        this.samples = samples;
        this.from = from;
        this.to = to;
        mask = (1 << width) - 1;
        counts = new int[mask + 1];
    }

    /** Computes the residual of a sample from two earlier samples. Only the low bits of the result are used. */
    @FunctionalInterface
    interface Residual {
        int of(int sample, int earlier, int other);
    }

    /**
     * Returns the min-entropy in bits per sample if a sample is predicted from the sample {@code lag} places earlier.
     */
    double ofLag(int lag) {
        return Math.min(
                of(lag, lag, (sample, earlier, _) -> sample ^ earlier),
                of(lag, lag, (sample, earlier, _) -> sample - earlier));
    }

    /**
     * Returns the min-entropy in bits per sample if a sample is predicted from the samples {@code lag} and
     * {@code other} places earlier.
     */
    double of(int lag, int other, Residual residual) {
        Arrays.fill(counts, 0);
        int first = from + Math.max(lag, other);
        for (int i = first; i < to; i++) {
            counts[residual.of(samples[i], samples[i - lag], samples[i - other]) & mask]++;
        }
        int most = 0;
        for (int count : counts) {
            most = Math.max(most, count);
        }
        int predictions = to - first;
        return ConfidenceBound.minEntropy(ConfidenceBound.upper((double) most / predictions, predictions));
    }
}
