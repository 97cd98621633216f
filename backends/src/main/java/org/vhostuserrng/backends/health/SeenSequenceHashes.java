package org.vhostuserrng.backends.health;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which sequences of bytes a source has given, 64 KiB of the past and more: as hashes with a random key, which tell
 * nobody what the bytes were. Outlasts failures of the source and the times it is closed, since a server may replay its
 * buffer to whoever connects. Any thread; two at once may make it forget, and nothing else.
 */
public final class SeenSequenceHashes {
    /** How many random numbers a memory takes for its keys. */
    public static final int KEYS = 257;

    private static final int REMEMBERED = 1 << 13;
    /** One sequence in 16 is remembered. Which ones is a matter of their own hash: they are known again anywhere. */
    private static final long CHOSEN = 0xf;

    private final long factor;
    private final long[] keys;
    private final AtomicLongArray remembered = new AtomicLongArray(REMEMBERED);

    /**
     * An empty memory.
     *
     * @param keys {@link #KEYS} random numbers
     */
    public SeenSequenceHashes(long... keys) {
        this.keys = keys.clone();
        this.factor = keys[KEYS - 1] | 1;
    }

    /** By which the hash of a sequence is multiplied before a byte's key is added to it. */
    long factor() {
        return factor;
    }

    /** What a byte adds to the hash of a sequence. */
    long key(int sample) {
        return keys[sample];
    }

    static boolean isChosen(long hash) {
        return (mixed(hash) & CHOSEN) == 0;
    }

    /** Whether a sequence with this hash is remembered; from now on it is. */
    boolean knows(long hash) {
        long mixed = mixed(hash);
        int place = (int) (mixed >>> 4) & (REMEMBERED - 1);
        boolean known = remembered.getPlain(place) == mixed;
        remembered.setPlain(place, mixed);
        return known;
    }

    private static long mixed(long hash) {
        long mixed = (hash ^ (hash >>> 29)) * 0x9e37_79b9_7f4a_7c15L;
        return mixed ^ (mixed >>> 32);
    }
}
