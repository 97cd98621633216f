package org.vhostuserrng.backends;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.RandomFile;
import org.vhostuserrng.backends.sys.RandomFile.Kind;
import org.vhostuserrng.backends.sys.Waiter;

/**
 * A file, FIFO or device, read without ever blocking in the read itself. A FIFO goes on with its next writer; a regular
 * file goes on where it was left when it was closed, and ends.
 */
final class FileReader implements RawSource {
    /** Between attempts to read a device that cannot be polled and has nothing. */
    private static final int SHORTEST_PAUSE_MILLIS = 1;

    private static final int LONGEST_PAUSE_MILLIS = 100;

    private final FileSpec spec;
    private final Kind kind;
    private RandomFile file;
    private int pauseMillis = SHORTEST_PAUSE_MILLIS;

    /** Owns {@code file} from now on. */
    FileReader(FileSpec spec, RandomFile file) throws IOException {
        this.spec = spec;
        this.file = file;
        this.kind = file.kind();
    }

    @Override
    public int read(MemorySegment target, long offset, int length, Waiter waiter) throws IOException {
        if (kind == Kind.REGULAR) {
            return outcome(readOn(target, offset, length), waiter);
        }
        return waiter.awaitReadable(file) ? outcome(file.read(target, offset, length), waiter) : NOTHING;
    }

    private int outcome(int read, Waiter waiter) throws IOException {
        if (read > 0) {
            pauseMillis = SHORTEST_PAUSE_MILLIS;
            return read;
        }
        if (read == RandomFile.EAGAIN) {
            waiter.await(pauseMillis);
            pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
            return NOTHING;
        }
        if (read < 0) {
            throw new IOException(RandomFile.describe(read));
        }
        return kind == Kind.FIFO ? reopened() : END;
    }

    private int readOn(MemorySegment target, long offset, int length) {
        int read = file.readAt(spec.position().get(), target, offset, length);
        if (read > 0) {
            spec.position().addAndGet(read);
        }
        return read;
    }

    /** The last writer of the FIFO has left: a new open waits for the next one, the old one would report the end. */
    private int reopened() throws IOException {
        RandomFile again = RandomFile.open(spec.path());
        file.close();
        file = again;
        return NOTHING;
    }

    @Override
    public void close() {
        file.close();
    }
}
