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
 * A file, FIFO or device, opened non-blocking. A FIFO is opened again for its next writer. A device that has failed is
 * opened again by its path, in case it was plugged in again. A terminal is in raw mode while it is open. A regular file
 * is read to its end, from its position in {@link FileReadPositions}. If another file has replaced it by then, that
 * file is read from its own position. A FIFO and a regular file can replace each other, because their health tests are
 * the same.
 */
final class BlockingFileSource implements BlockingEntropySource {
    /** Minimum delay between reads of a device that has no data and does not support poll(2). */
    private static final int MIN_RETRY_MILLIS = 1;

    private static final int MAX_RETRY_MILLIS = 100;

    /** Time without data after which a file is looked up by its path again, in case it was replaced. */
    private static final int REPLACEMENT_CHECK_MILLIS = 5000;

    private final FileSourceSpec spec;
    private Kind kind;
    private Identity identity;
    /** The open file; null after a failure. */
    private EntropyFile file;

    /**
     * Whether the terminal mode of {@link #file} has been set: not before the first read, because the previous thread
     * may still use the terminal.
     */
    private boolean modeSet;

    /** The raw mode of {@link #file}; null if it is not a terminal. */
    private TerminalRawMode rawMode;

    private int retryMillis = MIN_RETRY_MILLIS;

    /** Creates a source. Takes ownership of {@code file}. */
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
        // A FIFO's descriptor remains at its end after the last writer has closed it. A new descriptor waits for the
        // next writer.
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

    /** Opens the path again, and closes the old descriptor. Returns whether the path names another file now. */
    private boolean reopen() throws IOException {
        EntropyFile reopened = spec.openFile();
        try {
            EntropyFileStatus status = reopened.status();
            boolean sameTests = isFileOrFifo(status.kind()) && isFileOrFifo(kind);
            if (status.kind() != kind && !sameTests) {
                throw new IOException("the type of the file has changed");
            }
            kind = status.kind();
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

    private static boolean isFileOrFifo(Kind kind) {
        return kind == Kind.REGULAR || kind == Kind.FIFO;
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
