package org.vhostuserrng.backends.local;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFileStatus.Identity;

/**
 * The read positions of the regular files of this process. A byte of a file is read once, however often the file is
 * closed, reopened, renamed or named by another expression. A file that replaces another one at its path has a position
 * of its own. Any thread.
 */
final class FileReadPositions {
    /** Beyond that, the file that was read least recently would be read from its start again. */
    private static final int MAX_FILES = 4096;

    private final Map<Identity, Position> positions = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Identity, Position> eldest) {
            return size() > MAX_FILES;
        }
    };

    /** The position of one file. Its lock is held during a read, so that two threads read different bytes. */
    private static final class Position {
        private long bytes;
    }

    /** Reads at the file's position and advances it. Returns the number of bytes, 0 at the end, or a negated errno. */
    int read(EntropyFile file, Identity identity, MemorySegment target, long offset, int length) {
        Position position = of(identity);
        synchronized (position) {
            int read = file.pread(position.bytes, target, offset, length);
            position.bytes += Math.max(0, read);
            return read;
        }
    }

    private synchronized Position of(Identity identity) {
        return positions.computeIfAbsent(identity, _ -> new Position());
    }
}
