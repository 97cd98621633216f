package org.vhostuserrng.cli.checksource.estimator;

/** The compression estimate of SP 800-90B §6.3.4, which is based on Maurer's universal statistic of 6-bit blocks. */
final class CompressionEstimate {
    private static final int BLOCK_BITS = Sp80090bConstants.COMPRESSION_BLOCK_BITS;
    private static final int BLOCK_VALUES = 1 << BLOCK_BITS;
    private static final int DICTIONARY = Sp80090bConstants.COMPRESSION_DICTIONARY_BLOCKS;
    private static final int BISECTIONS = 60;
    /** Terms of G smaller than this do not change a sum of type double. */
    private static final double NEGLIGIBLE = 1e-25;

    private final int blocks;
    /** Base 2 logarithms, by index. */
    private final double[] logs;

    private CompressionEstimate(int blocks) {
        this.blocks = blocks;
        logs = new double[blocks + 1];
        for (int i = 1; i <= blocks; i++) {
            logs[i] = ConfidenceBound.log2(i);
        }
    }

    /** Whether the sequence is long enough for this estimate. */
    static boolean appliesTo(SymbolSequence bits) {
        return bits.length() / BLOCK_BITS > DICTIONARY + 1;
    }

    /** Returns the min-entropy in bits per bit. */
    static double of(SymbolSequence bits) {
        CompressionEstimate estimate = new CompressionEstimate(bits.length() / BLOCK_BITS);
        return estimate.solve(estimate.meanLowerBound(bits));
    }

    /** Returns X̄′: the lower confidence bound of the mean logarithm of the distance between equal blocks. */
    private double meanLowerBound(SymbolSequence bits) {
        int[] last = new int[BLOCK_VALUES];
        double sum = 0;
        double squares = 0;
        for (int i = 1; i <= blocks; i++) {
            int block = block(bits, i - 1);
            if (i > DICTIONARY) {
                double log = logs[last[block] == 0 ? i : i - last[block]];
                sum += log;
                squares += log * log;
            }
            last[block] = i;
        }
        int tested = blocks - DICTIONARY;
        double mean = sum / tested;
        double deviation = Sp80090bConstants.COMPRESSION_DEVIATION_FACTOR
                * Math.sqrt(Math.max(0, squares / (tested - 1) - mean * mean));
        return mean - Sp80090bConstants.Z_99 * deviation / Math.sqrt(tested);
    }

    private static int block(SymbolSequence bits, int number) {
        int block = 0;
        for (int i = number * BLOCK_BITS; i < (number + 1) * BLOCK_BITS; i++) {
            block = block << 1 | bits.at(i);
        }
        return block;
    }

    /** Returns p, the probability of the most likely block for which the expected mean is {@code mean}. */
    private double solve(double mean) {
        double low = 1.0 / BLOCK_VALUES;
        double high = 1;
        if (expectedMean(low) <= mean) {
            return 1;
        }
        for (int i = 0; i < BISECTIONS; i++) {
            double middle = (low + high) / 2;
            // The larger p is, the shorter the distances are.
            if (expectedMean(middle) > mean) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return ConfidenceBound.minEntropy((low + high) / 2) / BLOCK_BITS;
    }

    private double expectedMean(double p) {
        return g(p) + (BLOCK_VALUES - 1) * g((1 - p) / (BLOCK_VALUES - 1));
    }

    /**
     * Returns G(z) of §6.3.4. The order of its two sums is exchanged: distance u has probability z²(1 − z)^(u−1) at
     * every block after block u, and z(1 − z)^(u−1) at block u, which no equal block precedes.
     */
    private double g(double z) {
        double sum = 0;
        double power = 1;
        int tested = blocks - DICTIONARY;
        for (int u = 1; u <= blocks && power > NEGLIGIBLE; u++) {
            int blocksAfter = Math.min(tested, blocks - u);
            sum += logs[u] * z * z * power * blocksAfter;
            if (u > DICTIONARY) {
                sum += logs[u] * z * power;
            }
            power *= 1 - z;
        }
        return sum / tested;
    }
}
