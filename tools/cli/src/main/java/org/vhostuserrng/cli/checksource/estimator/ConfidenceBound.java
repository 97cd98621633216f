package org.vhostuserrng.cli.checksource.estimator;

/** Conversions between probabilities and min-entropy, with the 99 % confidence bound of SP 800-90B §6.3. */
final class ConfidenceBound {
    private static final double LN_2 = Math.log(2);

    private ConfidenceBound() {}

    /** Returns the upper 99 % confidence bound of a probability that was observed in {@code trials} trials. */
    static double upper(double observed, long trials) {
        return Math.min(1, observed + Sp80090bConstants.Z_99 * Math.sqrt(observed * (1 - observed) / (trials - 1)));
    }

    /** Returns the min-entropy in bits of a variable whose most likely value has this probability. */
    static double minEntropy(double probability) {
        return Math.max(0, -log2(probability));
    }

    static double log2(double value) {
        return Math.log(value) / LN_2;
    }
}
