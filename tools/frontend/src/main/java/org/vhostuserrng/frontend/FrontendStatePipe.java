package org.vhostuserrng.frontend;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import jnr.ffi.Pointer;

/** A pipe for the state of a device (vhost-user, "Migrating back-end state"): both ends, each closed by itself. */
public final class FrontendStatePipe implements AutoCloseable {
    private static final int BUFFER_SIZE = 4096;
    private static final int CLOSED = -1;

    private final Pointer buffer = FrontendLibc.runtime().getMemoryManager().allocateDirect(BUFFER_SIZE);
    private int readEnd;
    private int writeEnd;

    /** A pipe with nothing in it. */
    public FrontendStatePipe() throws IOException {
        int[] ends = new int[2];
        FrontendLibc.checkErrno("pipe2", FrontendLibc.calls().pipe2(ends, FrontendLibc.O_CLOEXEC));
        readEnd = ends[0];
        writeEnd = ends[1];
    }

    public int readEnd() {
        return readEnd;
    }

    public int writeEnd() {
        return writeEnd;
    }

    /** Writes until all is written or, if the pipe was made not to block, it is full: how many bytes that was. */
    public long write(byte[] bytes) {
        long written = 0;
        while (written < bytes.length) {
            int part = (int) Math.min(bytes.length - written, BUFFER_SIZE);
            buffer.put(0, bytes, (int) written, part);
            long taken = FrontendLibc.calls().write(writeEnd, buffer, part);
            if (taken < 0) {
                return written;
            }
            written += taken;
        }
        return written;
    }

    /** Fills the pipe; it does not block from then on. Returns how many bytes that took. */
    public long fill() throws IOException {
        FrontendLibc.checkErrno(
                "F_SETFL",
                FrontendLibc.calls()
                        .fcntl(writeEnd, FrontendLibc.F_SETFL, FrontendLibc.O_WRONLY | FrontendLibc.O_NONBLOCK));
        byte[] page = new byte[BUFFER_SIZE];
        long filled = 0;
        for (long written = write(page); written > 0; written = write(page)) {
            filled += written;
        }
        return filled;
    }

    /** Reads up to so many bytes; none at the end. */
    public byte[] read(int most, Duration timeout) throws IOException {
        if (!FrontendLibc.awaitReadable(FrontendLibc.allocatePollFd(readEnd), timeout.toMillis())) {
            throw new IOException("nothing came through the pipe in " + timeout.toMillis() + " ms");
        }
        long count = FrontendLibc.calls().read(readEnd, buffer, Math.min(most, BUFFER_SIZE));
        FrontendLibc.checkErrno("read", (int) count);
        byte[] bytes = new byte[(int) count];
        buffer.get(0, bytes, 0, bytes.length);
        return bytes;
    }

    /** Reads until the other end is closed. */
    public byte[] readAll(Duration timeout) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part = read(BUFFER_SIZE, timeout); part.length > 0; part = read(BUFFER_SIZE, timeout)) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    public void closeReadEnd() {
        readEnd = closeEnd(readEnd);
    }

    public void closeWriteEnd() {
        writeEnd = closeEnd(writeEnd);
    }

    private static int closeEnd(int end) {
        if (end != CLOSED) {
            FrontendLibc.calls().close(end);
        }
        return CLOSED;
    }

    @Override
    public void close() {
        closeReadEnd();
        closeWriteEnd();
    }
}
