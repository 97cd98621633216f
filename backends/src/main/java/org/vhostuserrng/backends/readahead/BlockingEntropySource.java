package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * An open source that may block. Confined to its read-ahead thread. It must block only in the {@link WakeablePoller}
 * that is passed to it, because another thread wakes this poller to stop the read-ahead thread.
 */
public interface BlockingEntropySource extends AutoCloseable {
    /**
     * Returned by {@link #read} if no data has arrived. The caller retries at once, so the source must wait before it
     * returns this.
     */
    int NO_DATA = 0;
    /**
     * Returned by {@link #read} if the source is at its end. The caller retries later, because the source may grow or
     * be replaced.
     */
    int END_OF_STREAM = -1;
    /** Returned by {@link #read} if another noise source has replaced the one that was read until now. */
    int REPLACED = -2;

    /**
     * Reads some bytes. Waits for them in {@code poller}.
     *
     * @param length maximum number of bytes, at least 1
     * @return the number of bytes read, or one of the constants of this interface
     * @throws SourceUnavailableException if the source cannot be reached now; the caller retries after a delay
     * @throws IOException if the source has failed, with a short reason; the caller retries after a delay. Later calls
     *     must not return bytes that the source may have received before the failure
     */
    int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException;

    /**
     * Called when enough bytes have been read ahead: waits until {@code poller} is woken. A source that must handle
     * other events meanwhile overrides this method.
     */
    default void awaitDemand(WakeablePoller poller) {
        poller.sleep(-1);
    }

    @Override
    void close();
}
