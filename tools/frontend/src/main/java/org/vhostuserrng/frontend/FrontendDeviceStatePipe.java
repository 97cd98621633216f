package org.vhostuserrng.frontend;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import jnr.ffi.Pointer;

/** A pipe for the device state (vhost-user, "Migrating back-end state"). Both ends can be closed separately. */
public final class FrontendDeviceStatePipe extends FrontendFdPair {
    private static final int BUFFER_SIZE = 4096;

    private final Pointer buffer = FrontendLibc.runtime().getMemoryManager().allocateDirect(BUFFER_SIZE);

    /** Creates an empty pipe. */
    public FrontendDeviceStatePipe() throws IOException {
        super(openPipe());
    }

    private static int[] openPipe() throws IOException {
        int[] ends = new int[2];
        FrontendLibc.checkErrno("pipe2", FrontendLibc.calls().pipe2(ends, FrontendLibc.O_CLOEXEC));
        return ends;
    }

    /** Writes all bytes, or as many as fit if the write end is non-blocking. Returns the number of bytes written. */
    public long write(byte[] bytes) {
        long written = 0;
        while (written < bytes.length) {
            int part = (int) Math.min(bytes.length - written, BUFFER_SIZE);
            buffer.put(0, bytes, (int) written, part);
            long taken = FrontendLibc.calls().write(writeEnd(), buffer, part);
            if (taken < 0) {
                return written;
            }
            written += taken;
        }
        return written;
    }

    /** Makes the write end non-blocking and fills the pipe. Returns the number of bytes written. */
    public long fill() throws IOException {
        FrontendLibc.checkErrno(
                "F_SETFL",
                FrontendLibc.calls()
                        .fcntl(writeEnd(), FrontendLibc.F_SETFL, FrontendLibc.O_WRONLY | FrontendLibc.O_NONBLOCK));
        byte[] page = new byte[BUFFER_SIZE];
        long filled = 0;
        for (long written = write(page); written > 0; written = write(page)) {
            filled += written;
        }
        return filled;
    }

    /**
     * Reads up to {@code most} bytes; returns an empty array at the end of the stream.
     *
     * @throws IOException if no byte arrives within the timeout
     */
    public byte[] read(int most, Duration timeout) throws IOException {
        if (!FrontendLibc.awaitReadable(FrontendLibc.allocatePollFd(readEnd()), timeout.toMillis())) {
            throw new IOException("no byte arrived through the pipe within " + timeout.toMillis() + " ms");
        }
        long count = FrontendLibc.calls().read(readEnd(), buffer, Math.min(most, BUFFER_SIZE));
        FrontendLibc.checkErrno("read", (int) count);
        byte[] bytes = new byte[(int) count];
        buffer.get(0, bytes, 0, bytes.length);
        return bytes;
    }

    /** Reads all bytes until the write end is closed. */
    public byte[] readAll(Duration timeout) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part = read(BUFFER_SIZE, timeout); part.length > 0; part = read(BUFFER_SIZE, timeout)) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
