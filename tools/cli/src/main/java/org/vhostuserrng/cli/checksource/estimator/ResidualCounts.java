package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Min-entropy of samples that are predicted from earlier ones: from the most common residual, the XOR or the difference
 * of sample and prediction.
 */
final class ResidualCounts {
    private final byte[] samples;
    private final int from;
    private final int to;
    private final int mask;
    private final int[] counts;

    /**
     * Counts residuals of the samples from {@code from} to {@code to}, exclusive.
     *
     * @param samples one sample a byte, in the low bits
     * @param width bits of a sample, 1 to 8
     */
    ResidualCounts(byte[] samples, int from, int to, int width) {
        this.samples = samples;
        this.from = from;
        this.to = to;
        mask = (1 << width) - 1;
        counts = new int[mask + 1];
    }

    /** Combines two earlier samples to a residual of the current one; only the low bits count. */
    @FunctionalInterface
    interface Residual {
        int of(int sample, int earlier, int other);
    }

    /** Min-entropy in bits per sample, if each sample is predicted from the one {@code lag} places earlier. */
    double ofLag(int lag) {
        return Math.min(
                of(lag, lag, (sample, earlier, _) -> sample ^ earlier),
                of(lag, lag, (sample, earlier, _) -> sample - earlier));
    }

    /** Min-entropy in bits per sample, if each is predicted from those {@code lag} and {@code other} places earlier. */
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
