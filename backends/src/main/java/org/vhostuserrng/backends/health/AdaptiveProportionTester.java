package org.vhostuserrng.backends.health;

/**
 * The adaptive proportion test (SP 800-90B §4.4.2): detects a byte value that occurs too often in a window. Confined to
 * one thread.
 */
final class AdaptiveProportionTester {
    /** §4.4.2: the window size W for a source that is not binary. */
    static final int WINDOW = 512;

    private final double minEntropy;
    private int cutoff;
    private int first;
    private int count;
    private int windowPosition;

    /**
     * Creates a test that has seen no samples.
     *
     * @param minEntropy H in bits per byte
     * @param minusLog2Alpha −log2 α
     */
    AdaptiveProportionTester(double minEntropy, int minusLog2Alpha) {
        this.minEntropy = minEntropy;
        setMinusLog2Alpha(minusLog2Alpha);
    }

    /** Changes α. Does not reset the count of the current window. */
    void setMinusLog2Alpha(int minusLog2Alpha) {
        cutoff = cutoff(minEntropy, Math.pow(2, -minusLog2Alpha));
    }

    int cutoff() {
        return cutoff;
    }

    /** Adds a sample. Returns true if the test fails. */
    boolean addSample(int sample) {
        if (windowPosition == 0) {
            first = sample;
            count = 0;
        }
        windowPosition = (windowPosition + 1) % WINDOW;
        if (sample != first) {
            return false;
        }
        count++;
        return count >= cutoff;
    }

    /**
     * Returns the cutoff of §4.4.2, C = 1 + CRITBINOM(W, 2^−H, 1 − α): the smallest count that is reached with a
     * probability of at most α; W + 1 if even a window of equal samples is more probable. Sums the tail of the binomial
     * distribution from its rarest term, with logarithms, because most terms underflow a double.
     */
    private static int cutoff(double minEntropy, double alpha) {
        double probability = Math.pow(2, -minEntropy);
        double odds = Math.log1p(-probability) - Math.log(probability);
        double term = WINDOW * Math.log(probability);
        double tail = Math.exp(term);
        int reached = WINDOW;
        while (tail <= alpha && reached > 0) {
            term += Math.log(reached) - Math.log(WINDOW - reached + 1.0) + odds;
            tail += Math.exp(term);
            reached--;
        }
        return reached + 1;
    }
}
