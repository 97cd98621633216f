package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.source.FileReadPositions;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFile.Kind;
import org.vhostuserrng.backends.sys.EntropyFileStatus;
import org.vhostuserrng.backends.sys.EntropyFileStatus.Identity;
import org.vhostuserrng.backends.sys.TerminalRawMode;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * A file, FIFO or device, opened non-blocking. A FIFO is reopened for its next writer. A device that has failed is
 * reopened by its path, in case it was plugged in again. A terminal is in raw mode while it is open. A regular file is
 * read to its end from its position in {@link FileReadPositions}; then the file that has replaced it, if any, is read
 * from its own position.
 */
final class BlockingFileSource implements BlockingEntropySource {
    /** Delay between reads of a device that does not support poll(2) and has no data. */
    private static final int MIN_RETRY_MILLIS = 1;

    private static final int MAX_RETRY_MILLIS = 100;

    /** A file that provides nothing for this long is looked up by its path again, in case it was replaced. */
    private static final int REPLACEMENT_CHECK_MILLIS = 5000;

    private final FileSourceSpec spec;
    private final Kind kind;
    private Identity identity;
    /** Null after a failure. */
    private EntropyFile file;

    /** False until the first read of {@link #file}, because the previous thread may still use a terminal. */
    private boolean modeSet;

    /** Null unless {@link #file} is a terminal. */
    private TerminalRawMode rawMode;

    private int retryMillis = MIN_RETRY_MILLIS;

    /** Takes ownership of {@code file}. */
    BlockingFileSource(FileSourceSpec spec, EntropyFile file) throws IOException {
        EntropyFileStatus status = file.status();
        this.spec = spec;
        this.file = file;
        this.kind = status.kind();
        this.identity = status.identity();
    }

    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        if (file == null && reopen()) {
            return REPLACED;
        }
        if (!modeSet) {
            setMode();
        }
        if (kind == Kind.REGULAR) {
            return toReadResult(FileReadPositions.OF_PROCESS.read(file, identity, target, offset, length), poller);
        }
        return poller.awaitReadable(file, REPLACEMENT_CHECK_MILLIS)
                ? NO_DATA
                : toReadResult(file.read(target, offset, length), poller);
    }

    private void setMode() throws IOException {
        try {
            rawMode = kind == Kind.OTHER ? spec.enterRawMode(file) : null;
            modeSet = true;
        } catch (IOException refused) {
            close();
            throw refused;
        }
    }

    private int toReadResult(int read, WakeablePoller poller) throws IOException {
        if (read > 0) {
            retryMillis = MIN_RETRY_MILLIS;
            return read;
        }
        if (read == EntropyFile.EAGAIN) {
            return awaitData(poller);
        }
        if (rawMode != null && (read == 0 || read == EntropyFile.EIO)) {
            close();
            throw new IOException("the terminal has hung up");
        }
        if (read < 0) {
            close();
            throw new IOException(EntropyFile.describe(read));
        }
        // After the last writer has closed a FIFO, the old descriptor is at its end; a new one waits for a writer.
        if (kind == Kind.FIFO || spec.isReplaced(identity)) {
            return reopen() ? REPLACED : NO_DATA;
        }
        return END_OF_STREAM;
    }

    private int awaitData(WakeablePoller poller) throws IOException {
        if (spec.isReplaced(identity) && reopen()) {
            return REPLACED;
        }
        poller.sleep(retryMillis);
        retryMillis = Math.min(2 * retryMillis, MAX_RETRY_MILLIS);
        return NO_DATA;
    }

    /** Opens the path again and closes the old descriptor. Returns whether the path names another file now. */
    private boolean reopen() throws IOException {
        EntropyFile reopened = spec.openFile();
        try {
            EntropyFileStatus status = reopened.status();
            if (status.kind() != kind) {
                throw new IOException("the kind of file has changed");
            }
            boolean replaced = !status.identity().equals(identity);
            identity = status.identity();
            close();
            file = reopened;
            return replaced;
        } catch (IOException refused) {
            reopened.close();
            throw refused;
        }
    }

    @Override
    public void close() {
        if (rawMode != null) {
            rawMode.restore();
            rawMode = null;
        }
        modeSet = false;
        if (file != null) {
            file.close();
            file = null;
        }
    }
}
