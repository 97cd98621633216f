package org.vhostuserrng.backends;

import java.security.SecureRandom;
import java.util.Arrays;

/**
 * A sequence that has been there before: a server that replays its buffer, a device that hands one out twice. What the
 * two tests of SP 800-90B cannot see, since each byte comes as often as it should; §4.5 allows tests of one's own.
 *
 * <p>Compares windows of bytes by a rolling hash with a random key. Which windows are remembered depends on their own
 * hash, so that a sequence is known again wherever it begins: at the latest one window after its repetition began, but
 * for the few that have no such window. Remembers 64 KiB of the past and more. Confined to one thread.
 */
final class RepeatedSequenceTest {
    /** A window holds as much entropy as makes a repetition by chance hopeless. */
    private static final double WINDOW_BITS = 64;

    private static final int SHORTEST_WINDOW = 32;
    private static final int REMEMBERED = 1 << 13;
    /** One window in 16 is remembered. */
    private static final long CHOSEN = 0xf;

    /** Or one in so many bytes where none is chosen, as in cycles that are too short to have one. */
    private static final int LONGEST_GAP = 64;

    private final int window;
    private final long factor;
    private final long factorOfOldest;
    private final long[] keys = new long[256];
    private final byte[] recent;
    private final long[] remembered = new long[REMEMBERED];
    private long hash;
    private int at;
    private long seen;
    private int gap;

    /**
     * A test that has seen nothing.
     *
     * @param minEntropy H, bits of a byte
     */
    RepeatedSequenceTest(double minEntropy) {
        this(minEntropy, new SecureRandom());
    }

    private RepeatedSequenceTest(double minEntropy, SecureRandom random) {
        window = (int) Math.max(SHORTEST_WINDOW, Math.ceil(WINDOW_BITS / minEntropy));
        recent = new byte[window];
        factor = random.nextLong() | 1;
        long power = 1;
        for (int i = 0; i < window; i++) {
            power *= factor;
        }
        factorOfOldest = power;
        Arrays.setAll(keys, i -> random.nextLong());
    }

    /** How many bytes have to be the same. */
    int window() {
        return window;
    }

    /** Whether the test fails with this byte. */
    boolean failsWith(int sample) {
        hash = hash * factor + keys[sample];
        if (seen >= window) {
            hash -= keys[recent[at] & 0xff] * factorOfOldest;
        }
        recent[at] = (byte) sample;
        at = at + 1 == window ? 0 : at + 1;
        seen++;
        return seen >= window && hasBeenBefore();
    }

    private boolean hasBeenBefore() {
        long mixed = hash ^ (hash >>> 29);
        mixed *= 0x9e37_79b9_7f4a_7c15L;
        mixed ^= mixed >>> 32;
        gap++;
        if ((mixed & CHOSEN) != 0 && gap < LONGEST_GAP) {
            return false;
        }
        gap = 0;
        int place = (int) (mixed >>> 4) & (REMEMBERED - 1);
        boolean before = remembered[place] == mixed;
        remembered[place] = mixed;
        return before;
    }

    /** Forgets what it has seen. */
    void wipe() {
        Arrays.fill(recent, (byte) 0);
        Arrays.fill(remembered, 0);
        hash = 0;
        at = 0;
        seen = 0;
        gap = 0;
    }
}
