package org.vhostuserrng.backends.health;

/** Repetition count test of SP 800-90B §4.4.1: detects too many equal bytes in a row. Confined to one thread. */
final class RepetitionCountTester {
    private static final int NO_SAMPLE = -1;

    private final double minEntropy;
    private int cutoff;
    private int last = NO_SAMPLE;
    private int count;

    /**
     * Creates a test that has seen no samples.
     *
     * @param minEntropy H in bits per byte
     * @param minusLog2Alpha −log2 α
     */
    RepetitionCountTester(double minEntropy, int minusLog2Alpha) {
        this.minEntropy = minEntropy;
        setMinusLog2Alpha(minusLog2Alpha);
    }

    /** Changes α. The current run of equal samples still counts. */
    void setMinusLog2Alpha(int minusLog2Alpha) {
        // §4.4.1: C = 1 + ⌈−log2 α / H⌉, and no more than the start-up samples, so that they detect a stuck source.
        cutoff = Math.min(1 + (int) Math.ceil(minusLog2Alpha / minEntropy), NoiseHealthTester.STARTUP_SAMPLES);
    }

    int cutoff() {
        return cutoff;
    }

    /** Probability per sample that a source of min-entropy H fails. */
    double falsePositiveProbability() {
        return Math.pow(2, -minEntropy * (cutoff - 1));
    }

    /** Adds a sample. Returns whether the test fails. */
    boolean addSample(int sample) {
        if (sample == last) {
            count++;
            return count >= cutoff;
        }
        last = sample;
        count = 1;
        return false;
    }
}
