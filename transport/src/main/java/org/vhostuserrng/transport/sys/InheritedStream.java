package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** The read end of a pipe, or a socket, of which only the end of the stream matters. Confined to one thread. */
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
     * @throws ErrnoException if it is not open
     */
    public static InheritedStream of(OwnedFd fd) throws ErrnoException {
        if (fd.accessMode() == OwnedFd.O_WRONLY) {
            throw new ErrnoException("read", Errno.EINVAL);
        }
        fd.setNonBlocking();
        return new InheritedStream(fd);
    }

    /** Discards some of the bytes that have arrived. Returns whether the stream has ended. */
    public boolean hasEnded() {
        long read = Libc.callLong(READ, fd.number(), buffer.address(), BUFFER_BYTES, 0, 0, 0);
        // An error, such as ECONNRESET, also means that no peer is left.
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
