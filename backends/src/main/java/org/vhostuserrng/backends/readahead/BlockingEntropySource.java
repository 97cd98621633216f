package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * A source that is slow, or may stall, as a {@link ReadAheadThread} reads it. All of it belongs to the filler's thread, which may
 * be kept waiting, but only in its {@link WakeablePoller}: that is how it is woken to end.
 */
public interface BlockingEntropySource extends AutoCloseable {
    /** {@link #read}: nothing came; it is asked again at once, so it has waited before it says so. */
    int NOTHING = 0;
    /** {@link #read}: no byte will come any more. */
    int END = -1;

    /**
     * Reads some bytes, waiting for them in {@code waiter}.
     *
     * @param length at least 1
     * @return how many bytes, or one of the constants
     * @throws IOException if the source has failed, with the reason in a few words; it is asked again after a pause, and
     *     gives no byte then that it had, or may have had, before it failed
     */
    int read(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException;

    @Override
    void close();
}
