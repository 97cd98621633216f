package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A record of u64 words in memory that outlives this process. It has two copies, which are written in turn, so that one
 * is complete at every instant. A check value detects damage; it is 0 while a copy is being written. Confined to one
 * thread.
 *
 * <p>Layout of a copy, native byte order: u64 sequence number from 1, the words, u64 check value.
 */
public final class ChecksummedRecord {
    /** The result of {@link #open}. */
    public enum Content {
        /** No process has written the record. */
        NONE,
        /** The last record that the previous process completed. */
        INTACT,
        /** A copy is damaged. The other one is used, if it is complete. */
        DAMAGED
    }

    /** The offset of the words in a copy, in bytes. */
    public static final int WORDS = Long.BYTES;

    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long SEQUENCE = 0;
    private static final long MULTIPLIER = 0x9e37_79b9_7f4a_7c15L;
    private static final int ROTATION = 29;

    private final MemorySegment[] copies;
    private final long check;
    private int latest;
    private long sequence;

    /**
     * Creates an instance. Does not access the memory yet.
     *
     * @param memory {@link #bytes} bytes, zeros before their first use
     * @param words the number of words
     */
    public ChecksummedRecord(MemorySegment memory, int words) {
        long size = bytes(words) / 2;
        copies = new MemorySegment[] {memory.asSlice(0, size), memory.asSlice(size, size)};
        check = size - Long.BYTES;
    }

    /** Returns the size of the memory in bytes. */
    public static int bytes(int words) {
        return 2 * (words + 2) * Long.BYTES;
    }

    /**
     * Finds the copy that was completed last, and discards a damaged one. If this method is not called before the first
     * {@link #begin}, the memory must contain only zeros.
     */
    public Content open() {
        boolean damaged = false;
        for (int i = 0; i < copies.length; i++) {
            long found = copies[i].get(U64, check);
            if (found == 0) {
                continue;
            }
            if (found != checkValue(copies[i])) {
                damaged = true;
                copies[i].set(U64, check, 0);
            } else if (copies[i].get(U64, SEQUENCE) > sequence) {
                sequence = copies[i].get(U64, SEQUENCE);
                latest = i;
            }
        }
        if (damaged) {
            return Content.DAMAGED;
        }
        return sequence == 0 ? Content.NONE : Content.INTACT;
    }

    /** The copy that was completed last, with its words from offset {@link #WORDS}; null if there is none. */
    public MemorySegment latest() {
        return sequence == 0 ? null : copies[latest];
    }

    /** Returns the other copy. The caller writes all words, from offset {@link #WORDS}, and calls {@link #commit}. */
    public MemorySegment begin() {
        MemorySegment next = copies[1 - latest];
        next.set(U64, check, 0);
        VarHandle.releaseFence();
        return next;
    }

    /** Completes the copy that {@link #begin} has returned. */
    public void commit() {
        latest = 1 - latest;
        sequence++;
        copies[latest].set(U64, SEQUENCE, sequence);
        long value = checkValue(copies[latest]);
        VarHandle.releaseFence();
        copies[latest].set(U64, check, value);
        VarHandle.releaseFence();
    }

    /** Each step is a bijection, so that a difference in one word always gives another value. */
    private long checkValue(MemorySegment copy) {
        long value = MULTIPLIER;
        for (long at = 0; at < check; at += Long.BYTES) {
            value = Long.rotateLeft(value ^ copy.get(U64, at), ROTATION) * MULTIPLIER;
        }
        return value == 0 ? 1 : value;
    }
}
