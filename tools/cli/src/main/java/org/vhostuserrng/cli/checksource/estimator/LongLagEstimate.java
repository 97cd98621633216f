package org.vhostuserrng.cli.checksource.estimator;

import java.util.Arrays;

/**
 * Estimates the min-entropy of a sequence whose samples depend on the sample at one larger distance: more than 128
 * samples, up to half the length of the sequence. Not an estimate of SP 800-90B, whose lag predictor ends at 128.
 *
 * <p>The fast Fourier transform of each bit of the samples (Wiener-Khinchin theorem) finds the distances at which bits
 * are correlated. At each of these distances, a sample is predicted from the earlier sample and their most common XOR
 * or difference.
 */
final class LongLagEstimate {
    /** Maximum number of samples that are evaluated, because the transform needs memory for each. */
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
     * Returns the min-entropy in bits per sample; NaN if the sequence is too short.
     *
     * @param samples one sample per byte, in the low bits
     * @param width width of a sample in bits, 1 to 8
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

    /** Returns the sum of the squared correlations of all bits, by lag. */
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
