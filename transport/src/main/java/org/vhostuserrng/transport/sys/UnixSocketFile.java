package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The file of a listening socket. {@link #remove} deletes it only if it is still the file that was bound. Confined to
 * one thread at a time.
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
    /** Null if the umask determines them. */
    private final SocketFilePermissions permissions;
    /** Null before {@link #bound}. */
    private final FileStatus bound;

    private UnixSocketFile(
            Path path, MemorySegment name, MemorySegment scratch, SocketFilePermissions permissions, FileStatus bound) {
        this.path = path;
        this.name = name;
        this.scratch = scratch;
        this.permissions = permissions;
        this.bound = bound;
    }

    /** The file of a socket that another process bound: never removed. */
    static UnixSocketFile none() {
        return NONE;
    }

    /**
     * The file of a socket that is not bound yet.
     *
     * @param permissions null if the umask determines them
     */
    static UnixSocketFile at(Path path, SocketFilePermissions permissions) {
        MemorySegment scratch = Arena.ofAuto().allocate(FileStatus.STATX_BYTES, Long.BYTES);
        return new UnixSocketFile(path, NativePath.allocate(Arena.ofAuto(), path), scratch, permissions, null);
    }

    /** Null if another process bound the socket. */
    Path path() {
        return path;
    }

    /** Null if the umask determines them. */
    SocketFilePermissions permissions() {
        return permissions;
    }

    /** This path for another socket. */
    UnixSocketFile unbound() {
        return new UnixSocketFile(path, name, scratch, permissions, null);
    }

    /** The file after its socket has been bound. */
    UnixSocketFile bound() throws ErrnoException {
        return new UnixSocketFile(path, name, scratch, permissions, FileStatus.ofName(name));
    }

    /** Whether the path names the bound file, as far as this process can see. */
    boolean isIntact() {
        if (path == null) {
            return true;
        }
        int named = bound.isNamed(name, scratch);
        return named != 0 && !isMissing(named);
    }

    /** Whether the path names nothing. */
    boolean isMissing() {
        return path != null && isMissing(bound.isNamed(name, scratch));
    }

    void remove() {
        if (path != null && bound.isNamed(name, scratch) == 1) {
            // Fails if the directory is no longer writable.
            int ignored = Libc.callInt(UNLINK, name.address(), 0, 0, 0, 0);
            assert ignored <= 0;
        }
    }

    /**
     * Removes a socket file that no process has bound.
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
        if (isBoundByAProcess()) {
            throw new FileSystemException(this + " is in use: another program listens on it");
        }
        int result = Libc.callInt(UNLINK, name.address(), 0, 0, 0, 0);
        if (result != -Errno.ENOENT) {
            ErrnoException.check("unlink stale " + this, result);
        }
    }

    /**
     * Whether a process has bound the file. A datagram socket cannot connect to a stream socket, so the process does
     * not notice: Linux answers EPROTOTYPE, but ECONNREFUSED if no socket is bound to the file.
     */
    private boolean isBoundByAProcess() throws IOException {
        OwnedFd probe = UnixListeningSocket.newSocket(SOCK_DGRAM, null);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixSocketAddress.of(path, arena);
            int result = Libc.callInt(CONNECT, probe.number(), address.address(), address.byteSize(), 0, 0);
            // Every other result, such as EACCES, may come from a live listener.
            return result != -Errno.ECONNREFUSED;
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
