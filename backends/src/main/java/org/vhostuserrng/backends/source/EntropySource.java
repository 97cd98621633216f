package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;

/**
 * An open source of random bytes. Never blocks, and returns every byte only once. Confined to the event loop's thread.
 */
public interface EntropySource extends AutoCloseable {
    /** Result of {@link #fill}: no bytes are available now. The event loop is notified when there are. */
    int WOULD_BLOCK = 0;
    /** Result of {@link #fill}: the source has failed and logged the reason. Retry after a second. */
    int FAILED = -1;
    /** Result of {@link #fill}: the target memory no longer exists. */
    int TARGET_FAULT = -2;

    /**
     * Fills memory with random bytes, starting at {@code offset}.
     *
     * @param length at least 1
     * @return the number of bytes written, 1 to {@code length}, or one of the constants
     */
    int fill(MemorySegment target, long offset, int length);

    /** Whether {@link #WOULD_BLOCK} means that the source has no bytes for any guest, not only for this one. */
    default boolean isSharedByGuests() {
        return false;
    }

    /** Why the source has no bytes after {@link #WOULD_BLOCK}, for a log line; empty if nothing is known. */
    default String starvationReason() {
        return "";
    }

    /** Wipes bytes that were read ahead and releases files and threads. */
    @Override
    void close();
}
