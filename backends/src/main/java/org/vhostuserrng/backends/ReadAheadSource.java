package org.vhostuserrng.backends;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.RandomFile;

/**
 * A file that may block, or be slow: a {@link Filler} thread reads it into a bounded pool of blocks, from which requests
 * are served. A dry pool wakes those who wait once it has bytes again.
 */
final class ReadAheadSource implements EntropySource {
    private final BlockPool pool;
    private final Filler filler;
    private Block current;

    ReadAheadSource(FileSpec spec, RandomFile file, Runnable onBytes) throws IOException {
        pool = new BlockPool(onBytes);
        filler = Filler.start(spec, file, pool);
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        if (current == null) {
            current = pool.takeFilled();
        }
        if (current == null) {
            return filler.hasEnded() ? FAILED : NOT_NOW;
        }
        int moved = current.moveTo(target, offset, length);
        if (current.isEmpty()) {
            pool.giveBack(current);
            current = null;
        }
        return moved;
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
