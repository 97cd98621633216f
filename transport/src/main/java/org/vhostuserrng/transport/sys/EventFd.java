package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An eventfd: a kick, a call or an err descriptor of a virtqueue, or our own wake-up. Non-blocking always.
 * {@link #signal} and {@link #drain} may be called by any thread while the descriptor is open.
 */
public final class EventFd implements AutoCloseable {
    private static final MemorySegment EVENTFD = Libc.symbol("eventfd");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final int EFD_CLOEXEC = 0x80000;
    private static final long COUNTER_BYTES = ValueLayout.JAVA_LONG.byteSize();
    private static final String KERNEL_NAME = "anon_inode:[eventfd]";

    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);
    /** What a drained counter held is of no interest, so all share one place to read it into. */
    private static final MemorySegment DISCARDED = Arena.global().allocate(ValueLayout.JAVA_LONG);

    private final OwnedFd fd;

    private EventFd(OwnedFd fd) {
        this.fd = fd;
    }

    public static EventFd create() throws HostFault {
        int number = Libc.callInt(EVENTFD, 0, EFD_CLOEXEC | OwnedFd.O_NONBLOCK, 0, 0, 0);
        return new EventFd(new OwnedFd(HostFault.check("eventfd", number)));
    }

    /**
     * Takes a descriptor that a peer sent, and closes it if it is none.
     *
     * @throws IOException if the descriptor is no eventfd: a pipe or a file could block the loop at the first signal
     */
    public static EventFd adopt(OwnedFd received) throws IOException {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/fd/" + received.number()))
                    .toString();
            if (!name.equals(KERNEL_NAME)) {
                throw new IOException("expected an eventfd, got " + name);
            }
            received.setNonBlocking();
            return new EventFd(received);
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
    }

    /** Adds one. A counter that is full stays full, which is as readable as it gets. */
    public void signal() {
        long unused = Libc.callLong(WRITE, fd.number(), ONE.address(), COUNTER_BYTES, 0, 0, 0);
        assert unused == COUNTER_BYTES || unused == -Errno.EAGAIN;
    }

    /** Resets the counter to zero. */
    public void drain() {
        long unused = Libc.callLong(READ, fd.number(), DISCARDED.address(), COUNTER_BYTES, 0, 0, 0);
        assert unused == COUNTER_BYTES || unused == -Errno.EAGAIN;
    }

    /** For registration with {@link Epoll}; this object stays the owner. */
    public OwnedFd fd() {
        return fd;
    }

    @Override
    public void close() {
        fd.close();
    }
}
