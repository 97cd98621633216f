package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFile.Kind;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * A file, FIFO or device, read without ever blocking in the read itself. A FIFO goes on with its next writer, a device
 * that has failed with what its path leads to then (it may have been plugged in again); a regular file goes on where it
 * was left when it was closed, and ends.
 */
final class BlockingFileSource implements BlockingEntropySource {
    /** Between attempts to read a device that cannot be polled and has nothing. */
    private static final int SHORTEST_PAUSE_MILLIS = 1;

    private static final int LONGEST_PAUSE_MILLIS = 100;

    private final FileSourceSpec spec;
    private final Kind kind;
    /** Null if it has failed. */
    private EntropyFile file;

    private int pauseMillis = SHORTEST_PAUSE_MILLIS;

    /** Owns {@code file} from now on. */
    BlockingFileSource(FileSourceSpec spec, EntropyFile file) throws IOException {
        this.spec = spec;
        this.file = file;
        this.kind = file.kind();
    }

    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException {
        if (file == null) {
            file = openAgain();
        }
        if (kind == Kind.REGULAR) {
            return outcome(readOn(target, offset, length), waiter);
        }
        return waiter.awaitReadable(file) ? outcome(file.read(target, offset, length), waiter) : NOTHING;
    }

    private int outcome(int read, WakeablePoller waiter) throws IOException {
        if (read > 0) {
            pauseMillis = SHORTEST_PAUSE_MILLIS;
            return read;
        }
        if (read == EntropyFile.EAGAIN) {
            waiter.await(pauseMillis);
            pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
            return NOTHING;
        }
        if (read < 0) {
            close();
            throw new IOException(EntropyFile.describe(read));
        }
        return kind == Kind.FIFO ? nextWriter() : END;
    }

    private int readOn(MemorySegment target, long offset, int length) {
        int read = file.readAt(spec.position().get(), target, offset, length);
        if (read > 0) {
            spec.position().addAndGet(read);
        }
        return read;
    }

    /** The last writer of the FIFO has left: a new open waits for the next one, the old one would report the end. */
    private int nextWriter() throws IOException {
        EntropyFile again = openAgain();
        file.close();
        file = again;
        return NOTHING;
    }

    private EntropyFile openAgain() throws IOException {
        EntropyFile again = spec.openFile();
        if (again.kind() != kind) {
            again.close();
            throw new IOException("it has become another kind of file");
        }
        return again;
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
            file = null;
        }
    }
}
