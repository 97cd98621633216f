package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Makes a blocking source non-blocking: a {@link ReadAheadThread} reads the source into a pool of blocks, which this
 * class drains. After {@link #WOULD_BLOCK}, the event loop is notified when the pool has bytes again. Confined to the
 * event loop's thread.
 */
final class ReadAheadSource implements EntropySource {
    private final ReadAheadBlockPool pool;
    private final ReadAheadThread thread;
    private ReadAheadBlock current;

    /**
     * Starts the read-ahead thread.
     *
     * @param name the source's name, for log lines
     * @param source the blocking source; the thread takes ownership
     * @param health the health tests; null for a source that is not tested
     * @param counters the counters of the source, which outlive this object
     * @param onReadable called on any thread when there are bytes again after {@link #WOULD_BLOCK}
     * @param predecessorClosed {@link #closed} of the object that read the same source before; the thread waits for it
     */
    ReadAheadSource(
            String name,
            BlockingEntropySource source,
            NoiseHealthTester health,
            SourceFailureCounters counters,
            Runnable onReadable,
            CountDownLatch predecessorClosed)
            throws IOException {
        pool = new ReadAheadBlockPool(onReadable);
        thread = ReadAheadThread.start(name, source, health, counters, pool, predecessorClosed);
    }

    /**
     * A latch that reaches 0 after {@link #close}, when the source has released its files, devices and child processes.
     */
    CountDownLatch closed() {
        return thread.sourceClosed();
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (current != null && !pool.isValid(current)) {
            recycleCurrent();
        }
        if (current == null) {
            current = pool.pollFilled();
        }
        if (current == null) {
            return thread.state() == ReadAheadThread.State.RUNNING ? WOULD_BLOCK : FAILED;
        }
        int drained = current.drainTo(target, offset, length);
        if (current.isEmpty()) {
            recycleCurrent();
        }
        return drained;
    }

    @Override
    public String starvationReason() {
        int untested = thread.untestedBytes();
        return untested == 0 ? "" : untested + " bytes received, too few for the start-up tests";
    }

    @Override
    public boolean answersAfterFailure() {
        return thread.answersAfterFailure();
    }

    @Override
    public boolean readsAhead() {
        return true;
    }

    @Override
    public void discardAhead() {
        if (current != null) {
            recycleCurrent();
        }
        pool.discardFilled();
    }

    private void recycleCurrent() {
        current.wipe();
        pool.recycle(current);
        current = null;
    }

    @Override
    public void close() {
        thread.stop();
        if (current != null) {
            current.wipe();
            current = null;
        }
    }
}
