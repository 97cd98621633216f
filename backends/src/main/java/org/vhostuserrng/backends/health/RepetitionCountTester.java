package org.vhostuserrng.backends.health;

/** Repetition count test of SP 800-90B §4.4.1: detects too many equal bytes in a row. Confined to one thread. */
final class RepetitionCountTester {
    private static final int NO_SAMPLE = -1;

    private final int cutoff;
    private int last = NO_SAMPLE;
    private int count;

    /**
     * Creates a test that has seen no samples.
     *
     * @param minEntropy H in bits per byte
     */
    RepetitionCountTester(double minEntropy) {
        // §4.4.1: C = 1 + ⌈−log2 α / H⌉.
        cutoff = 1 + (int) Math.ceil(NoiseHealthTester.MINUS_LOG2_ALPHA / minEntropy);
    }

    int cutoff() {
        return cutoff;
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
