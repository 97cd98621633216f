package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Function;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A non-blocking, listening UNIX stream socket. {@link #close} removes the socket file if this process bound it and it
 * is still the same file. Confined to one thread at a time.
 */
public final class UnixListeningSocket implements AutoCloseable {
    private static final MemorySegment SOCKET = Libc.symbol("socket");
    private static final MemorySegment BIND = Libc.symbol("bind");
    private static final MemorySegment LISTEN = Libc.symbol("listen");
    private static final MemorySegment ACCEPT4 = Libc.symbol("accept4");
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SO_ACCEPTCONN = 30;
    /**
     * Maximum number of front-ends that wait to be accepted. The kernel reduces it to its own limit
     * (net.core.somaxconn).
     */
    private static final int BACKLOG = 4096;

    private final OwnedFd fd;
    private final UnixSocketFile file;

    private UnixListeningSocket(OwnedFd fd, UnixSocketFile file) {
        this.fd = fd;
        this.file = file;
    }

    /**
     * Listens on {@code path}. Replaces a stale socket file, which no process has bound. The umask determines who may
     * connect.
     *
     * @throws IOException if another process listens on the path, if the path is not a socket, or if it cannot be bound
     */
    public static UnixListeningSocket bind(Path path) throws IOException {
        return bind(path, null);
    }

    /**
     * Like {@link #bind(Path)}. The socket file has its final permissions from the moment it appears at {@code path}.
     *
     * @param permissions the permissions of the file; null if the umask determines who may connect
     */
    public static UnixListeningSocket bind(Path path, SocketFilePermissions permissions) throws IOException {
        return bind(UnixSocketFileLock.acquire(path), UnixSocketFile.at(path, permissions));
    }

    /**
     * Like {@link #bind(Path, SocketFilePermissions)}, but does not wait for another daemon that is starting on the
     * path.
     *
     * @throws IOException as {@link #bind(Path)}, or if another daemon is starting on the path at this moment
     */
    public static UnixListeningSocket tryBind(Path path, SocketFilePermissions permissions) throws IOException {
        return bind(UnixSocketFileLock.tryAcquire(path), UnixSocketFile.at(path, permissions));
    }

    /**
     * Listens again on the path of this socket, after another process has removed, renamed or replaced its file. Does
     * not wait for another daemon that is starting on the path.
     *
     * @throws IOException as {@link #bind(Path)}, or if another daemon is starting on the path at this moment
     */
    public UnixListeningSocket bindAgain() throws IOException {
        return bind(UnixSocketFileLock.tryAcquire(file.path()), file.unbound());
    }

    private static UnixListeningSocket bind(UnixSocketFileLock acquired, UnixSocketFile file) throws IOException {
        try (UnixSocketFileLock lock = acquired) {
            UnixListeningSocket socket = bind(file);
            lock.logRefusal();
            return socket;
        }
    }

    private static UnixListeningSocket bind(UnixSocketFile file) throws IOException {
        file.removeStale();
        OwnedFd fd = newSocket(SOCK_STREAM, null);
        try {
            if (file.permissions() == null) {
                listen(fd, file.path(), file);
            } else {
                try (UnixSocketFileDraft draft = new UnixSocketFileDraft(file.path(), file.permissions())) {
                    listen(fd, draft.prepare(fd), file);
                    draft.publish();
                }
            }
            return new UnixListeningSocket(fd, file.bound());
        } catch (IOException | RuntimeException refused) {
            fd.close();
            throw refused;
        }
    }

    private static void listen(OwnedFd fd, Path path, UnixSocketFile file) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixSocketAddress.of(path, arena);
            check("bind " + file, BIND, fd, address.address(), address.byteSize());
            // Listens immediately after bind(2), because a front-end may connect as soon as the file exists.
            check("listen", LISTEN, fd, BACKLOG, 0);
        }
    }

    /**
     * Takes ownership of an inherited listening socket. {@link #close} does not remove its file, which another process
     * bound.
     */
    public static UnixListeningSocket adopt(OwnedFd inherited) throws IOException {
        inherited.setNonBlocking();
        return new UnixListeningSocket(inherited, UnixSocketFile.none());
    }

    /** Returns whether a descriptor is a listening UNIX stream socket. */
    public static boolean isListening(OwnedFd fd) {
        return UnixStreamSocket.isUnixStream(fd) && UnixStreamSocket.option(fd, SO_ACCEPTCONN) == 1;
    }

    /** Returns the last element of the path to which a UNIX socket is bound; null if it is not bound to a path. */
    public static String fileName(OwnedFd fd) {
        String path = UnixSocketAddress.boundPath(fd);
        return path == null ? null : path.substring(path.lastIndexOf('/') + 1);
    }

    /** Returns the path to which the socket is bound; null if it has none. */
    public String boundPath() {
        return UnixSocketAddress.boundPath(fd);
    }

    static OwnedFd newSocket(PeerFileExecutor closer) throws ErrnoException {
        return newSocket(SOCK_STREAM, closer);
    }

    /** Creates a non-blocking UNIX socket. */
    static OwnedFd newSocket(int type, PeerFileExecutor closer) throws ErrnoException {
        int number = Libc.callInt(SOCKET, UnixSocketAddress.AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0);
        return new OwnedFd(ErrnoException.check("socket", number), closer);
    }

    /**
     * Accepts the next front-end. Returns null if none is waiting.
     *
     * @param closer closes the descriptors that the front-end sends
     */
    public UnixStreamSocket accept(PeerFileExecutor closer) throws ErrnoException {
        int number = accept();
        return number < 0 ? null : new UnixStreamSocket(new OwnedFd(number, closer));
    }

    /**
     * Accepts the next front-end. Returns null if none is waiting.
     *
     * @param closers returns the executor that closes the descriptors that the front-end sends; its argument is null if
     *     the credentials of the front-end are unknown
     */
    public UnixStreamSocket accept(Function<PeerCredentials, PeerFileExecutor> closers) throws ErrnoException {
        int number = accept();
        return number < 0 ? null : new UnixStreamSocket(new OwnedFd(number, closers.apply(PeerCredentials.of(number))));
    }

    private int accept() throws ErrnoException {
        int number = Libc.callInt(ACCEPT4, fd.number(), 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (number == -Errno.EAGAIN || number == -Errno.ECONNABORTED || number == -Errno.EINTR) {
            return -1;
        }
        return ErrnoException.check("accept4", number);
    }

    /** The descriptor, to watch with {@link Epoll}. This object remains the owner. */
    public OwnedFd fd() {
        return fd;
    }

    /** Returns whether this process bound the socket to a file, as opposed to an inherited socket. */
    public boolean hasFile() {
        return file.path() != null;
    }

    /**
     * Returns whether the path still names the file of this socket. Returns true also if it cannot be determined, for
     * example because this process may no longer search the directory.
     */
    public boolean isFileIntact() {
        return file.isIntact();
    }

    /** Returns whether the path names no file, because the file was removed or renamed, but not replaced. */
    public boolean isFileMissing() {
        return file.isMissing();
    }

    /** The path of the socket file, for a log line. */
    public String fileName() {
        return file.toString();
    }

    /**
     * Closes the socket at once. Only for a socket on which no peer may have connected, because closing it also closes
     * the descriptors that peers have sent over connections in its backlog.
     */
    @Override
    public void close() {
        file.remove();
        fd.close();
    }

    /** Removes the socket file, and queues the close of the socket in an executor. */
    public void closeIn(PeerFileExecutor closer) {
        file.remove();
        fd.closeIn(closer);
    }

    private static void check(String call, MemorySegment function, OwnedFd fd, long second, long third)
            throws ErrnoException {
        ErrnoException.check(call, Libc.callInt(function, fd.number(), second, third, 0, 0));
    }
}
