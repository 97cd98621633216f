package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Min-entropy of a sequence that resembles itself at one distance of more than 128 samples, up to half its length. Not
 * an estimate of SP 800-90B, whose lag predictor ends at 128.
 *
 * <p>The distances at which single bits of the samples are correlated are found by the fast Fourier transform of each
 * bit (Wiener-Khinchin theorem). At each of them, the sample is predicted from the earlier one by their most common
 * XOR or difference.
 */
final class LongLagEstimate {
    /** Number of samples that are evaluated, which bounds the memory of the transform. */
    static final int MAX_SAMPLES = 1 << 20;

    private static final int MIN_LAG = Sp80090bConstants.LAGS + 1;
    private static final int CANDIDATES = 8;

    private final byte[] samples;
    private final int length;
    private final int width;

    private LongLagEstimate(byte[] samples, int width) {
        this.samples = samples;
        this.length = Math.min(samples.length, MAX_SAMPLES);
        this.width = width;
    }

    /**
     * Min-entropy in bits per sample; NaN for a short sequence.
     *
     * @param samples one sample a byte, in the low bits
     * @param width bits of a sample, 1 to 8
     */
    static double of(byte[] samples, int width) {
        return new LongLagEstimate(samples, width).estimate();
    }

    private double estimate() {
        if (length <= 2 * MIN_LAG) {
            return Double.NaN;
        }
        double[] scores = scores();
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < CANDIDATES; i++) {
            int best = MIN_LAG;
            for (int lag = MIN_LAG; lag <= length / 2; lag++) {
                best = scores[lag] > scores[best] ? lag : best;
            }
            scores[best] = 0;
            least = Math.min(least, new ResidualCounts(samples, 0, length, width).ofLag(best));
        }
        return least;
    }

    /** By lag: sum of the squared correlations of all bits. */
    private double[] scores() {
        int size = 2 * Integer.highestOneBit(2 * length - 1);
        double[] scores = new double[length / 2 + 1];
        double[] real = new double[size];
        double[] imaginary = new double[size];
        FourierTransform transform = new FourierTransform(size);
        for (int bit = 0; bit < width; bit++) {
            for (int i = 0; i < length; i++) {
                real[i] = (samples[i] >>> bit & 1) == 0 ? -1 : 1;
            }
            transform.apply(real, imaginary);
            for (int i = 0; i < size; i++) {
                real[i] = real[i] * real[i] + imaginary[i] * imaginary[i];
                imaginary[i] = 0;
            }
            transform.apply(real, imaginary);
            for (int lag = MIN_LAG; lag < scores.length; lag++) {
                double correlation = real[lag] / size / (length - lag);
                scores[lag] += correlation * correlation;
            }
            Arrays.fill(real, 0);
            Arrays.fill(imaginary, 0);
        }
        return scores;
    }
}
