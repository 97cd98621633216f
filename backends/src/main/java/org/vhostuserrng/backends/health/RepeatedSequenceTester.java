package org.vhostuserrng.backends.health;

/**
 * Detects sequences that the source has produced before, for example if a server replays its buffer. The two tests of
 * SP 800-90B §4.4 cannot detect this because the frequency of each byte is normal; §4.5 allows additional tests.
 *
 * <p>Computes a rolling (Rabin-Karp) hash over a sliding window. Windows are selected for storage by their hash, so the
 * selection does not depend on where a repeated sequence starts. A repetition is usually detected within one window of
 * its start. Confined to one thread.
 */
final class RepeatedSequenceTester {
    /**
     * Upper bound of the probability that a new sequence seems repeated: one of 13 samples ends a window that is looked
     * up, its entry is compared by 64 bits of which 17 are the same for all windows of that entry.
     */
    static final double FALSE_POSITIVE_PROBABILITY = 0x1p-47 / 13;

    /** Min-entropy of a window, so high that a repetition by chance is practically impossible. */
    private static final double WINDOW_BITS = 64;

    private static final int MIN_WINDOW = 32;

    /**
     * Maximum distance between stored windows in bytes. Without it, a cycle too short to contain a window selected by
     * its hash would not be detected.
     */
    private static final int MAX_SAMPLING_GAP = 64;

    private final SeenSequenceHashes seen;
    private final long oldestMultiplier;
    private final byte[] window;
    private long hash;
    private int windowIndex;
    private long samples;
    private int sinceLastSample;

    /**
     * Creates a test with an empty window.
     *
     * @param minEntropy H in bits per byte
     * @param seen sequences that the source has produced before
     */
    RepeatedSequenceTester(double minEntropy, SeenSequenceHashes seen) {
        this.seen = seen;
        window = new byte[(int) Math.max(MIN_WINDOW, Math.ceil(WINDOW_BITS / minEntropy))];
        long power = 1;
        for (int i = 0; i < window.length; i++) {
            power *= seen.multiplier();
        }
        oldestMultiplier = power;
    }

    /** Length of the sequences that are compared, in bytes. */
    int window() {
        return window.length;
    }

    /** Adds a sample. Returns whether the test fails. */
    boolean addSample(int sample) {
        hash = hash * seen.multiplier() + seen.byteKey(sample);
        if (samples >= window.length) {
            hash -= seen.byteKey(window[windowIndex] & 0xff) * oldestMultiplier;
        }
        window[windowIndex] = (byte) sample;
        windowIndex = windowIndex + 1 == window.length ? 0 : windowIndex + 1;
        samples++;
        return samples >= window.length && isRepeated();
    }

    private boolean isRepeated() {
        sinceLastSample++;
        if (sinceLastSample < MAX_SAMPLING_GAP && !SeenSequenceHashes.isSampled(hash)) {
            return false;
        }
        sinceLastSample = 0;
        return seen.addIfAbsent(hash);
    }

    /** Starts a new window. Stored hashes are kept. */
    void restart() {
        hash = 0;
        windowIndex = 0;
        samples = 0;
        sinceLastSample = 0;
    }
}
