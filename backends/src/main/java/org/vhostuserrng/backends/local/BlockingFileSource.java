package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFile.Kind;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * A file, FIFO or device, opened non-blocking. A FIFO is reopened for its next writer. A device that has failed is
 * reopened by its path, in case it was plugged in again. Reading of a regular file continues at the position at which
 * the file was closed and ends at the end of the file.
 */
final class BlockingFileSource implements BlockingEntropySource {
    /** Delay between reads of a device that does not support poll(2) and has no data. */
    private static final int MIN_RETRY_MILLIS = 1;

    private static final int MAX_RETRY_MILLIS = 100;

    private final FileSourceSpec spec;
    private final Kind kind;
    /** Null after a failure. */
    private EntropyFile file;

    private int retryMillis = MIN_RETRY_MILLIS;

    /** Takes ownership of {@code file}. */
    BlockingFileSource(FileSourceSpec spec, EntropyFile file) throws IOException {
        this.spec = spec;
        this.file = file;
        this.kind = file.kind();
    }

    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        if (file == null) {
            file = reopen();
        }
        if (kind == Kind.REGULAR) {
            return toReadResult(readAtPosition(target, offset, length), poller);
        }
        return poller.awaitReadable(file) ? toReadResult(file.read(target, offset, length), poller) : NO_DATA;
    }

    private int toReadResult(int read, WakeablePoller poller) throws IOException {
        if (read > 0) {
            retryMillis = MIN_RETRY_MILLIS;
            return read;
        }
        if (read == EntropyFile.EAGAIN) {
            poller.sleep(retryMillis);
            retryMillis = Math.min(2 * retryMillis, MAX_RETRY_MILLIS);
            return NO_DATA;
        }
        if (read < 0) {
            close();
            throw new IOException(EntropyFile.describe(read));
        }
        return kind == Kind.FIFO ? reopenForNextWriter() : END_OF_STREAM;
    }

    private int readAtPosition(MemorySegment target, long offset, int length) {
        int read = file.pread(spec.position().get(), target, offset, length);
        if (read > 0) {
            spec.position().addAndGet(read);
        }
        return read;
    }

    /**
     * After the last writer has closed the FIFO, the old descriptor reports end of file; a new one waits for a writer.
     */
    private int reopenForNextWriter() throws IOException {
        EntropyFile reopened = reopen();
        file.close();
        file = reopened;
        return NO_DATA;
    }

    private EntropyFile reopen() throws IOException {
        EntropyFile reopened = spec.openFile();
        if (reopened.kind() != kind) {
            reopened.close();
            throw new IOException("the kind of file has changed");
        }
        return reopened;
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
            file = null;
        }
    }
}
