package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;

/**
 * A source of random bytes that is open. Never waits. Every byte is given out once. Confined to the thread that serves
 * guests.
 */
public interface EntropySource extends AutoCloseable {
    /** {@link #fill}: no bytes now; those who asked are told when there are. */
    int NOT_NOW = 0;
    /** {@link #fill}: the source has failed, and has logged why; it may be asked again in a second. */
    int FAILED = -1;
    /** {@link #fill}: the memory to fill does not exist any more. */
    int TARGET_GONE = -2;

    /**
     * Fills memory with random bytes, from {@code offset} on.
     *
     * @param length at least 1
     * @return how many bytes have been written, 1 to {@code length}, or one of the constants
     */
    int fill(MemorySegment target, long offset, int length);

    /** Whether {@link #NOT_NOW} says that there are no bytes for anybody; else it speaks for this user only. */
    default boolean isShared() {
        return false;
    }

    /** Wipes what has been read ahead, and lets go of files and threads. */
    @Override
    void close();
}
