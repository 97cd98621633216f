package org.vhostuserrng.backends.health;

import java.util.Arrays;

/**
 * A sequence that has been there before: a server that replays its buffer, a device that hands one out twice. What the
 * two tests of SP 800-90B cannot see, since each byte comes as often as it should; §4.5 allows tests of one's own.
 *
 * <p>Compares windows of bytes by a rolling hash. Which windows are remembered depends on their own hash, so that a
 * sequence is known again wherever it begins: at the latest one window after its repetition began, but for the few that
 * have no such window. Confined to one thread.
 */
final class RepeatedSequenceTester {
    /** A window holds as much entropy as makes a repetition by chance hopeless. */
    private static final double WINDOW_BITS = 64;

    private static final int SHORTEST_WINDOW = 32;

    /** One window in so many bytes is remembered where none is chosen, as in cycles that are too short to have one. */
    private static final int LONGEST_GAP = 64;

    private final SeenSequenceHashes memory;
    private final long factorOfOldest;
    private final byte[] recent;
    private long hash;
    private int at;
    private long seen;
    private int gap;

    /**
     * A test whose window is empty.
     *
     * @param minEntropy H, bits of a byte
     * @param memory of all that the source has given
     */
    RepeatedSequenceTester(double minEntropy, SeenSequenceHashes memory) {
        this.memory = memory;
        recent = new byte[(int) Math.max(SHORTEST_WINDOW, Math.ceil(WINDOW_BITS / minEntropy))];
        long power = 1;
        for (int i = 0; i < recent.length; i++) {
            power *= memory.factor();
        }
        factorOfOldest = power;
    }

    /** How many bytes have to be the same. */
    int window() {
        return recent.length;
    }

    /** Whether the test fails with this byte. */
    boolean failsWith(int sample) {
        hash = hash * memory.factor() + memory.key(sample);
        if (seen >= recent.length) {
            hash -= memory.key(recent[at] & 0xff) * factorOfOldest;
        }
        recent[at] = (byte) sample;
        at = at + 1 == recent.length ? 0 : at + 1;
        seen++;
        return seen >= recent.length && hasBeenBefore();
    }

    private boolean hasBeenBefore() {
        gap++;
        if (gap < LONGEST_GAP && !SeenSequenceHashes.isChosen(hash)) {
            return false;
        }
        gap = 0;
        return memory.knows(hash);
    }

    /** Begins a new window; nothing is forgotten but the bytes themselves. */
    void restart() {
        Arrays.fill(recent, (byte) 0);
        hash = 0;
        at = 0;
        seen = 0;
        gap = 0;
    }
}
