package org.vhostuserrng.backends.health;

/**
 * Detects sequences that the source has produced before, for example because a server replays its buffer. The two tests
 * of SP 800-90B §4.4 cannot detect this, because the frequency of each byte is normal. §4.5 permits additional tests.
 *
 * <p>Computes a rolling (Rabin-Karp) hash of a sliding window. Whether the hash of a window is stored depends only on
 * the hash, not on the position of the window, so the same windows of a repeated sequence are looked up. A repetition
 * is usually detected within one window of its start. Confined to one thread.
 */
final class RepeatedSequenceTester {
    /**
     * Upper bound of the probability per sample that a new sequence seems to be repeated: one of 13 samples ends a
     * window that is looked up. Its hash of 64 bits is compared to that of an entry of the table, but 17 of the bits
     * are always equal, because they select the entry.
     */
    static final double FALSE_POSITIVE_PROBABILITY = 0x1p-47 / 13;

    /** Min-entropy of a window in bits, so high that a repetition by chance is practically impossible. */
    private static final double WINDOW_BITS = 64;

    private static final int MIN_WINDOW = 32;

    /**
     * Maximum distance in bytes between windows that are stored. Without this limit, a cycle would not be detected if
     * it is so short that the hash of none of its windows is selected.
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
     * @param seen the sequences that the source has produced before
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

    /** The length in bytes of the sequences that are compared. */
    int window() {
        return window.length;
    }

    /** Adds a sample. Returns true if the test fails. */
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

    /** Begins a new window. Does not remove the stored hashes. */
    void restart() {
        hash = 0;
        windowIndex = 0;
        samples = 0;
        sinceLastSample = 0;
    }
}
