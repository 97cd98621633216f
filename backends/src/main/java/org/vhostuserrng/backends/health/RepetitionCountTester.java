package org.vhostuserrng.backends.health;

/** SP 800-90B §4.4.1: the same byte too many times in a row. Confined to one thread. */
final class RepetitionCountTester {
    private static final int NOTHING = -1;

    private final int cutoff;
    private int last = NOTHING;
    private int count;

    /**
     * A test that has seen nothing.
     *
     * @param minEntropy H, bits of a byte
     */
    RepetitionCountTester(double minEntropy) {
        // §4.4.1: C = 1 + ⌈−log2 α / H⌉
        cutoff = 1 + (int) Math.ceil(NoiseHealthTester.MINUS_LOG2_ALPHA / minEntropy);
    }

    int cutoff() {
        return cutoff;
    }

    /** Whether the test fails with this byte. */
    boolean failsWith(int sample) {
        if (sample == last) {
            count++;
            return count >= cutoff;
        }
        last = sample;
        count = 1;
        return false;
    }
}
