package org.vhostuserrng.cli.checksource;

/** Min-entropy estimators of SP 800-90B §6.3, with the 99 % confidence bound where that document specifies one. */
final class MinEntropyEstimators {
    /** §6.3.1: quantile of the normal distribution for the 99 % confidence bound. */
    private static final double Z_99 = 2.576;

    /** §6.3.3: length in bits of the most likely sequence. */
    private static final int SEQUENCE_BITS = 128;

    private MinEntropyEstimators() {}

    /** §6.3.1, most common value estimate: min-entropy per sample, in bits. */
    static double mostCommonValue(long mostCommon, long samples) {
        double p = (double) mostCommon / samples;
        double upper = Math.min(1, p + Z_99 * Math.sqrt(p * (1 - p) / (samples - 1)));
        return Math.max(0, -log2(upper));
    }

    /** §6.3.3, Markov estimate: min-entropy per bit, 0 to 1. */
    static double markov(ByteStatistics of) {
        double one = log2((double) of.ones() / of.bits());
        double zero = log2((double) (of.bits() - of.ones()) / of.bits());
        double zeroZero = transition(of, 0, 0);
        double zeroOne = transition(of, 0, 1);
        double oneZero = transition(of, 1, 0);
        double oneOne = transition(of, 1, 1);
        int half = SEQUENCE_BITS / 2;
        // The most likely 128-bit sequence is one of these six: constant, changing once, or alternating.
        double[] candidates = {
            zero + times(SEQUENCE_BITS - 1, zeroZero),
            zero + times(half, zeroOne) + times(half - 1, oneZero),
            zero + zeroOne + times(SEQUENCE_BITS - 2, oneOne),
            one + oneZero + times(SEQUENCE_BITS - 2, zeroZero),
            one + times(half, oneZero) + times(half - 1, zeroOne),
            one + times(SEQUENCE_BITS - 1, oneOne)
        };
        double most = Double.NEGATIVE_INFINITY;
        for (double each : candidates) {
            most = Math.max(most, each);
        }
        return Math.clamp(-most / SEQUENCE_BITS, 0, 1);
    }

    private static double transition(ByteStatistics of, int from, int to) {
        long all = of.transitions(from, 0) + of.transitions(from, 1);
        return all == 0 ? Double.NEGATIVE_INFINITY : log2((double) of.transitions(from, to) / all);
    }

    private static double times(int exponent, double logarithm) {
        return exponent * logarithm;
    }

    private static double log2(double value) {
        return Math.log(value) / Math.log(2);
    }
}
