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
 * A listening UNIX stream socket, non-blocking. {@link #close} removes the file of a socket that this process bound, if
 * it is still the same file. Confined to one thread at a time.
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
    /** Maximum number of waiting front-ends. The kernel lowers it to its own limit. */
    private static final int BACKLOG = 4096;

    private final OwnedFd fd;
    private final UnixSocketFile file;

    private UnixListeningSocket(OwnedFd fd, UnixSocketFile file) {
        this.fd = fd;
        this.file = file;
    }

    /**
     * Listens on {@code path}. Replaces a stale socket file. The umask determines who may connect.
     *
     * @throws IOException if another process listens on the path, if the path is not a socket, or if it cannot be bound
     */
    public static UnixListeningSocket bind(Path path) throws IOException {
        return bind(path, null);
    }

    /**
     * Like {@link #bind(Path)}. The file has its permissions when it appears.
     *
     * @param permissions null if the umask determines who may connect
     */
    public static UnixListeningSocket bind(Path path, SocketFilePermissions permissions) throws IOException {
        return bind(UnixSocketFileLock.acquire(path), UnixSocketFile.at(path, permissions));
    }

    /**
     * Like {@link #bind(Path, SocketFilePermissions)}. Does not wait.
     *
     * @throws IOException also if another daemon is just starting on the path
     */
    public static UnixListeningSocket tryBind(Path path, SocketFilePermissions permissions) throws IOException {
        return bind(UnixSocketFileLock.tryAcquire(path), UnixSocketFile.at(path, permissions));
    }

    /**
     * Listens on the path of this socket again, whose file another process removed, renamed or replaced. Does not wait.
     *
     * @throws IOException as {@link #bind(Path)}, or if another daemon is just starting on the path
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
            // Listens immediately, because a front-end may connect as soon as the file exists.
            check("listen", LISTEN, fd, BACKLOG, 0);
        }
    }

    /** Takes ownership of an inherited listening socket. Its file belongs to the process that bound it. */
    public static UnixListeningSocket adopt(OwnedFd inherited) throws IOException {
        inherited.setNonBlocking();
        return new UnixListeningSocket(inherited, UnixSocketFile.none());
    }

    /** Whether a descriptor is a listening UNIX stream socket. */
    public static boolean isListening(OwnedFd fd) {
        return UnixStreamSocket.isUnixStream(fd) && UnixStreamSocket.option(fd, SO_ACCEPTCONN) == 1;
    }

    /** The last element of the path to which a UNIX socket is bound; null if it is not bound to a path. */
    public static String fileName(OwnedFd fd) {
        String path = UnixSocketAddress.boundPath(fd);
        return path == null ? null : path.substring(path.lastIndexOf('/') + 1);
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
     * Accepts the next front-end; null if none is waiting.
     *
     * @param closer closes the descriptors that the front-end sends
     */
    public UnixStreamSocket accept(PeerFileExecutor closer) throws ErrnoException {
        int number = accept();
        return number < 0 ? null : new UnixStreamSocket(new OwnedFd(number, closer));
    }

    /**
     * Accepts the next front-end; null if none is waiting.
     *
     * @param closers closes the descriptors that a front-end sends; its argument is null if the process is unknown
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

    /** For registration with {@link Epoll}. This object remains the owner. */
    public OwnedFd fd() {
        return fd;
    }

    /** Whether this process bound the socket to a file, which others may remove or replace. */
    public boolean hasFile() {
        return file.path() != null;
    }

    /**
     * Whether the path still names the file of this socket, as far as this process can see: true also if it may not
     * search the directory any more.
     */
    public boolean isFileIntact() {
        return file.isIntact();
    }

    /** Whether the path names nothing: the file was removed or renamed, not replaced. */
    public boolean isFileMissing() {
        return file.isMissing();
    }

    /** The path of the file, for the log. */
    public String fileName() {
        return file.toString();
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
