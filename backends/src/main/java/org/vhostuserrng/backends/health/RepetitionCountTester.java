package org.vhostuserrng.backends.health;

/** The repetition count test (SP 800-90B §4.4.1): detects too many equal bytes in a row. Confined to one thread. */
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

    /** Changes α. Does not reset the count of the current run of equal samples. */
    void setMinusLog2Alpha(int minusLog2Alpha) {
        // §4.4.1: C = 1 + ⌈−log2 α / H⌉. Limited to the number of start-up samples, so that these detect a stuck
        // source.
        cutoff = Math.min(1 + (int) Math.ceil(minusLog2Alpha / minEntropy), NoiseHealthTester.STARTUP_SAMPLES);
    }

    int cutoff() {
        return cutoff;
    }

    /** Returns the probability per sample that a source of min-entropy H fails this test. */
    double falsePositiveProbability() {
        return Math.pow(2, -minEntropy * (cutoff - 1));
    }

    /** Adds a sample. Returns true if the test fails. */
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
