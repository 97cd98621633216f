package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A listening UNIX stream socket, non-blocking. One that was bound here removes its file when closed, if the file is
 * still its own. Confined to one thread at a time.
 */
public final class UnixListeningSocket implements AutoCloseable {
    private static final MemorySegment SOCKET = Libc.symbol("socket");
    private static final MemorySegment BIND = Libc.symbol("bind");
    private static final MemorySegment LISTEN = Libc.symbol("listen");
    private static final MemorySegment ACCEPT4 = Libc.symbol("accept4");
    private static final MemorySegment GETSOCKOPT = Libc.symbol("getsockopt");
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_ACCEPTCONN = 30;
    /** Front-ends that may wait for their turn; the kernel lowers it to its own limit. */
    private static final int BACKLOG = 4096;

    private final OwnedFd fd;
    private final UnixSocketFile file;

    private UnixListeningSocket(OwnedFd fd, UnixSocketFile file) {
        this.fd = fd;
        this.file = file;
    }

    /**
     * Listens on {@code path}. A socket file that nobody listens on is replaced; the umask decides who may connect.
     *
     * @throws IOException if somebody listens there, if the path is no socket (it is left alone), or cannot be bound
     */
    public static UnixListeningSocket bind(Path path) throws IOException {
        try (UnixSocketFile.Claim claim = UnixSocketFile.claim(path);
                Arena arena = Arena.ofConfined()) {
            OwnedFd fd = newSocket();
            try {
                MemorySegment address = UnixSocketAddress.of(path, arena);
                check("bind", BIND, fd, address.address(), address.byteSize());
                // Nothing in between: who has seen the file appear may connect at once.
                check("listen", LISTEN, fd, BACKLOG, 0);
                return new UnixListeningSocket(fd, claim.bound());
            } catch (IOException | RuntimeException refused) {
                fd.close();
                throw refused;
            }
        }
    }

    /** Takes over an inherited socket that already listens; its file, if any, belongs to whoever bound it. */
    public static UnixListeningSocket adopt(OwnedFd inherited) throws IOException {
        inherited.setNonBlocking();
        return new UnixListeningSocket(inherited, UnixSocketFile.none());
    }

    /** Whether an inherited descriptor is a socket that listens (as against one that is connected). */
    public static boolean isListening(OwnedFd inherited) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
            ErrnoException.check(
                    "getsockopt(SO_ACCEPTCONN)",
                    Libc.callInt(
                            GETSOCKOPT,
                            inherited.number(),
                            SOL_SOCKET,
                            SO_ACCEPTCONN,
                            value.address(),
                            length.address()));
            return value.get(ValueLayout.JAVA_INT, 0) != 0;
        }
    }

    static OwnedFd newSocket() throws ErrnoException {
        return newSocket(null);
    }

    static OwnedFd newSocket(DeferredCloser line) throws ErrnoException {
        int number =
                Libc.callInt(SOCKET, UnixSocketAddress.AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0);
        return new OwnedFd(ErrnoException.check("socket", number), line);
    }

    /**
     * The next front-end that waits, or null if there is none (any more).
     *
     * @param line for what comes from it
     */
    public UnixStreamSocket accept(DeferredCloser line) throws ErrnoException {
        int number = Libc.callInt(ACCEPT4, fd.number(), 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (number == -Errno.EAGAIN || number == -Errno.ECONNABORTED || number == -Errno.EINTR) {
            return null;
        }
        return new UnixStreamSocket(new OwnedFd(ErrnoException.check("accept4", number), line));
    }

    /** For registration with {@link Epoll}; this object stays the owner. */
    public OwnedFd fd() {
        return fd;
    }

    @Override
    public void close() {
        file.remove();
        fd.close();
    }

    private static void check(String call, MemorySegment function, OwnedFd fd, long second, long third)
            throws ErrnoException {
        ErrnoException.check(call, Libc.callInt(function, fd.number(), second, third, 0, 0));
    }
}
