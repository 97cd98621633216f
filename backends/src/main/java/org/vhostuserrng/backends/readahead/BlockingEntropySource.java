package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * An open source that may block. Used only by its read-ahead thread. It must block only in the {@link WakeablePoller}
 * passed to it, because another thread wakes that poller to stop the read-ahead thread.
 */
public interface BlockingEntropySource extends AutoCloseable {
    /**
     * Result of {@link #read}: no data arrived. The caller retries at once, so the source must wait before it returns
     * this.
     */
    int NO_DATA = 0;
    /** Result of {@link #read}: the source is at its end. It may grow or be replaced: the caller retries later. */
    int END_OF_STREAM = -1;
    /** Result of {@link #read}: another noise source has taken the place of the one that was read until now. */
    int REPLACED = -2;

    /**
     * Reads some bytes, waiting for them in {@code poller}.
     *
     * @param length at least 1
     * @return the number of bytes read, or one of the constants
     * @throws SourceUnavailableException if the source cannot be reached now. The caller retries after a delay.
     * @throws IOException if the source has failed, with a short reason. The caller retries after a delay. Later calls
     *     must not return bytes that the source received, or may have received, before the failure.
     */
    int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException;

    /**
     * Waits until {@code poller} is woken, because enough was read ahead. A source that has other events to handle
     * meanwhile waits for them too.
     */
    default void awaitDemand(WakeablePoller poller) {
        poller.sleep(-1);
    }

    @Override
    void close();
}
