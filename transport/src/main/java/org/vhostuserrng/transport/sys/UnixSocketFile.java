package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.KilledProcess;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The file of a listening socket. {@link #remove} deletes the file only if it is still the one that was bound. Confined
 * to one thread at a time.
 */
final class UnixSocketFile {
    private static final MemorySegment CONNECT = Libc.symbol("connect");
    private static final MemorySegment UNLINK = Libc.symbol("unlink");
    private static final int SOCK_DGRAM = 2;
    private static final UnixSocketFile NONE = new UnixSocketFile(null, null, null, null, null);

    private final Path path;
    /** The path as a C string. */
    private final MemorySegment name;

    private final MemorySegment scratch;
    /** The permissions of the file; null if the umask determines them. */
    private final SocketFilePermissions permissions;
    /** The file that was bound; null before {@link #bound}. */
    private final FileStatus bound;

    private UnixSocketFile(
            Path path, MemorySegment name, MemorySegment scratch, SocketFilePermissions permissions, FileStatus bound) {
        this.path = path;
        this.name = name;
        this.scratch = scratch;
        this.permissions = permissions;
        this.bound = bound;
    }

    /** The file of a socket that another process bound, which is never removed. */
    static UnixSocketFile none() {
        return NONE;
    }

    /**
     * Creates the object for a socket that is not bound yet.
     *
     * @param permissions null if the umask determines them
     */
    static UnixSocketFile at(Path path, SocketFilePermissions permissions) {
        MemorySegment scratch = Arena.ofAuto().allocate(FileStatus.STATX_BYTES, Long.BYTES);
        return new UnixSocketFile(path, NativePath.allocate(Arena.ofAuto(), path), scratch, permissions, null);
    }

    /** The path of the file; null if another process bound the socket. */
    Path path() {
        return path;
    }

    /** The permissions of the file; null if the umask determines them. */
    SocketFilePermissions permissions() {
        return permissions;
    }

    /** Returns a copy of this object for another socket on the same path, which is not bound yet. */
    UnixSocketFile unbound() {
        return new UnixSocketFile(path, name, scratch, permissions, null);
    }

    /**
     * Returns a copy of this object with the file that the path names now. Must be called after the socket was bound.
     */
    UnixSocketFile bound() throws ErrnoException {
        return new UnixSocketFile(path, name, scratch, permissions, FileStatus.ofName(name));
    }

    /** Returns true if the path names the bound file, or if this cannot be determined. */
    boolean isIntact() {
        if (path == null) {
            return true;
        }
        int named = bound.isNamed(name, scratch);
        return named != 0 && !isMissing(named);
    }

    /** Returns whether the path names no file. */
    boolean isMissing() {
        return path != null && isMissing(bound.isNamed(name, scratch));
    }

    void remove() {
        if (path != null && bound.isNamed(name, scratch) == 1) {
            // A failure is ignored, for example because the directory is no longer writable.
            int ignored = Libc.callInt(UNLINK, name.address(), 0, 0, 0, 0);
            assert ignored <= 0;
        }
    }

    /**
     * Removes the file at the path if it is a socket that no process has bound, except one that was killed.
     *
     * @throws IOException if the file is not a socket, or if a process has bound it
     */
    void removeStale() throws IOException {
        FileStatus existing;
        try {
            existing = FileStatus.ofName(name);
        } catch (ErrnoException missing) {
            if (missing.errno() == Errno.ENOENT) {
                return;
            }
            throw new FileSystemException("cannot listen on " + this + ": " + missing.getMessage());
        }
        if (!existing.isSocket()) {
            throw new FileSystemException(this + " exists and is not a socket");
        }
        if (isBoundByAProcess() && !isBoundByAKilledProcess()) {
            throw new FileSystemException(this + " is in use: another program listens on it");
        }
        int result = Libc.callInt(UNLINK, name.address(), 0, 0, 0, 0);
        if (result != -Errno.ENOENT) {
            ErrnoException.check("unlink stale " + this, result);
        }
    }

    /**
     * Returns whether a process has bound the file. Tries to connect with a datagram socket, which the process does not
     * notice: connect(2) fails with EPROTOTYPE if a stream socket is bound to the file, and with ECONNREFUSED if no
     * socket is.
     */
    private boolean isBoundByAProcess() throws IOException {
        OwnedFd probe = UnixListeningSocket.newSocket(SOCK_DGRAM, null);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixSocketAddress.of(path, arena);
            int result = Libc.callInt(CONNECT, probe.number(), address.address(), address.byteSize(), 0, 0);
            // A process may be listening in the case of every other result, such as EACCES.
            return result != -Errno.ECONNREFUSED;
        } finally {
            probe.close();
        }
    }

    /**
     * Returns whether the process that listens on the socket was killed, but a front-end blocks one of its threads in
     * the kernel: its sockets then remain open, but it accepts no connection. Connects only if there is such a process,
     * because a running process would notice the connection.
     */
    private boolean isBoundByAKilledProcess() throws IOException {
        if (!KilledProcess.isAnyBlocked()) {
            return false;
        }
        OwnedFd probe = UnixListeningSocket.newSocket(null);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixSocketAddress.of(path, arena);
            int result = Libc.callInt(CONNECT, probe.number(), address.address(), address.byteSize(), 0, 0);
            PeerCredentials listener = result < 0 ? null : PeerCredentials.of(probe.number());
            return listener != null && listener.pid() != 0 && KilledProcess.isBlocked(listener.pid());
        } finally {
            probe.close();
        }
    }

    private static boolean isMissing(int named) {
        return named == -Errno.ENOENT || named == -Errno.ENOTDIR;
    }

    @Override
    public String toString() {
        return NativePath.text(path);
    }
}
