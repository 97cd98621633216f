package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * A source that may block, or be slow: a {@link ReadAheadThread} thread reads it into a bounded pool of blocks, from which
 * requests are served. A dry pool wakes those who wait once it has bytes again.
 */
final class ReadAheadSource implements EntropySource {
    private final ReadAheadBlockPool pool;
    private final ReadAheadThread filler;
    private ReadAheadBlock current;

    /**
     * Starts to read.
     *
     * @param name for logs
     * @param source owned from now on
     * @param health null for a source that is not tested
     * @param counters of the source, over all the times it is open
     */
    ReadAheadSource(
            String name,
            BlockingEntropySource source,
            NoiseHealthTester health,
            SourceFailureCounters counters,
            Runnable onBytes)
            throws IOException {
        pool = new ReadAheadBlockPool(onBytes);
        filler = ReadAheadThread.start(name, source, health, counters, pool);
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (current != null && !pool.isValid(current)) {
            giveBack();
        }
        if (current == null) {
            current = pool.takeFilled();
        }
        if (current == null) {
            return filler.state() == ReadAheadThread.State.SERVING ? NOT_NOW : FAILED;
        }
        int moved = current.moveTo(target, offset, length);
        if (current.isEmpty()) {
            giveBack();
        }
        return moved;
    }

    private void giveBack() {
        current.wipe();
        pool.giveBack(current);
        current = null;
    }

    @Override
    public void close() {
        filler.stop();
        if (current != null) {
            current.wipe();
            current = null;
        }
    }
}
