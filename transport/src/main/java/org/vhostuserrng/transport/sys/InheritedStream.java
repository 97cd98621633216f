package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * An inherited pipe or socket from which this process only detects the end of the stream. Discards all bytes. Confined
 * to one thread.
 */
public final class InheritedStream implements AutoCloseable {
    private static final MemorySegment READ = Libc.symbol("read");
    private static final int BUFFER_BYTES = 4096;

    private final OwnedFd fd;
    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);

    private InheritedStream(OwnedFd fd) {
        this.fd = fd;
    }

    /**
     * Takes ownership of a descriptor.
     *
     * @throws ErrnoException if the descriptor is not open, or not open for reading
     */
    public static InheritedStream of(OwnedFd fd) throws ErrnoException {
        if (fd.accessMode() == OwnedFd.O_WRONLY) {
            throw new ErrnoException("read", Errno.EINVAL);
        }
        fd.setNonBlocking();
        return new InheritedStream(fd);
    }

    /** Returns whether the stream has ended. Reads and discards up to 4096 bytes. */
    public boolean hasEnded() {
        long read = Libc.callLong(READ, fd.number(), buffer.address(), BUFFER_BYTES, 0, 0, 0);
        // An error, such as ECONNRESET, also ends the stream.
        return read == 0 || (read < 0 && read != -Errno.EAGAIN && read != -Errno.EINTR);
    }

    /** For registration with {@link Epoll}. This object remains the owner. */
    public OwnedFd fd() {
        return fd;
    }

    @Override
    public void close() {
        fd.close();
    }
}
