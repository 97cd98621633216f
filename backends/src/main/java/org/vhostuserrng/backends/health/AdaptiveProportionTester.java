package org.vhostuserrng.backends.health;

/** SP 800-90B §4.4.2: one byte too often in a window. Confined to one thread. */
final class AdaptiveProportionTester {
    /** §4.4.2: of a source that is not binary. */
    static final int WINDOW = 512;

    private final int cutoff;
    private int first;
    private int count;
    private int seen;

    /**
     * A test that has seen nothing.
     *
     * @param minEntropy H, bits of a byte
     */
    AdaptiveProportionTester(double minEntropy) {
        cutoff = cutoff(minEntropy);
    }

    int cutoff() {
        return cutoff;
    }

    /** Whether the test fails with this byte. */
    boolean failsWith(int sample) {
        if (seen == 0) {
            first = sample;
            count = 0;
        }
        seen = (seen + 1) % WINDOW;
        if (sample != first) {
            return false;
        }
        count++;
        return count >= cutoff;
    }

    /**
     * §4.4.2: C = 1 + CRITBINOM(W, 2^−H, 1 − α), which is the least count that is reached with a probability of α at
     * most. Summed up from the rarest on, in logarithms: most terms are too small for a double.
     */
    private static int cutoff(double minEntropy) {
        double probability = Math.pow(2, -minEntropy);
        double odds = Math.log1p(-probability) - Math.log(probability);
        double term = WINDOW * Math.log(probability);
        double tail = Math.exp(term);
        int reached = WINDOW;
        while (reached > 1) {
            term += Math.log(reached) - Math.log(WINDOW - reached + 1.0) + odds;
            tail += Math.exp(term);
            if (tail > NoiseHealthTester.ALPHA) {
                return reached;
            }
            reached--;
        }
        return reached;
    }
}
