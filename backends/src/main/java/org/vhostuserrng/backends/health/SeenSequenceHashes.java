package org.vhostuserrng.backends.health;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Keyed hashes of about the last 64 KiB that a source has produced. The hashes do not reveal the bytes. They are kept
 * when the source fails or is closed, because a server may replay its buffer to a new connection. Any thread; a race
 * between two threads can only lose entries.
 */
public final class SeenSequenceHashes {
    /** Number of random keys that the constructor needs. */
    public static final int KEY_COUNT = 257;

    private static final int TABLE_SIZE = 1 << 13;
    /** Selects one hash in 16 to be stored. */
    private static final long SAMPLE_MASK = 0xf;

    private final long multiplier;
    private final long[] keys;
    private final AtomicLongArray table = new AtomicLongArray(TABLE_SIZE);

    /**
     * Creates an empty set.
     *
     * @param keys {@link #KEY_COUNT} random numbers
     */
    public SeenSequenceHashes(long... keys) {
        this.keys = keys.clone();
        this.multiplier = keys[KEY_COUNT - 1] | 1;
    }

    /** The multiplier of the rolling hash. */
    long multiplier() {
        return multiplier;
    }

    /** Returns the term that a byte adds to the rolling hash. */
    long byteKey(int sample) {
        return keys[sample];
    }

    static boolean isSampled(long hash) {
        return (mix(hash) & SAMPLE_MASK) == 0;
    }

    /** Stores a hash. Returns whether it was already stored. */
    boolean addIfAbsent(long hash) {
        long mixed = mix(hash);
        int index = (int) (mixed >>> 4) & (TABLE_SIZE - 1);
        boolean known = table.getPlain(index) == mixed;
        table.setPlain(index, mixed);
        return known;
    }

    private static long mix(long hash) {
        long mixed = (hash ^ (hash >>> 29)) * 0x9e37_79b9_7f4a_7c15L;
        return mixed ^ (mixed >>> 32);
    }
}
