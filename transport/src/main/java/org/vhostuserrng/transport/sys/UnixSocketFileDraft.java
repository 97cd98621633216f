package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Arrays;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A socket file with a temporary name in the same directory, until its permissions are set. So the file appears at its
 * path with its final permissions, without a change of the umask, which all threads share. Confined to one thread.
 */
final class UnixSocketFileDraft implements AutoCloseable {
    private static final MemorySegment FCHMOD = Libc.symbol("fchmod");
    private static final MemorySegment CHMOD = Libc.symbol("chmod");
    private static final MemorySegment FCHOWNAT = Libc.symbol("fchownat");
    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment LINK = Libc.symbol("link");
    private static final MemorySegment UNLINK = Libc.symbol("unlink");
    private static final int O_PATH_CLOEXEC = 0x200000 | 0x80000;
    /** open(2): the value depends on the architecture. */
    private static final int O_NOFOLLOW = System.getProperty("os.arch").equals("amd64") ? 0x20000 : 0x8000;

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int OWNER_ONLY = 0600;
    private static final byte[] SUFFIX = {'.', 'n', 'e', 'w'};

    private final Path path;
    private final Path draft;
    private final SocketFilePermissions permissions;
    private final Arena arena = Arena.ofConfined();
    /** The path of the draft as a C string. */
    private final MemorySegment name;

    private boolean bound;

    /**
     * Creates the draft of a socket file. Removes the stale draft of an earlier process.
     *
     * @throws IOException if another process uses the name of the draft, or if the path is too long
     */
    UnixSocketFileDraft(Path path, SocketFilePermissions permissions) throws IOException {
        this.path = path;
        this.draft = draftOf(path);
        this.permissions = permissions;
        this.name = NativePath.allocate(arena, draft);
        try {
            UnixSocketFile.at(draft, null).removeStale();
        } catch (IOException refused) {
            arena.close();
            throw refused;
        }
    }

    /**
     * Returns the path with a suffix. The suffix replaces the end of the file name if the path would become too long.
     */
    static Path draftOf(Path path) throws IOException {
        byte[] file = NativePath.bytes(path.getFileName());
        int excess = Math.max(0, NativePath.bytes(path).length + SUFFIX.length - UnixSocketAddress.MAX_PATH_BYTES);
        byte[] name = Arrays.copyOf(file, Math.max(0, file.length - excess) + SUFFIX.length);
        System.arraycopy(SUFFIX, 0, name, name.length - SUFFIX.length, SUFFIX.length);
        if (file.length < excess || Arrays.equals(name, file)) {
            throw new FileSystemException(NativePath.text(path) + ": expected a path of at most "
                    + (UnixSocketAddress.MAX_PATH_BYTES - SUFFIX.length) + " bytes, to set its permissions");
        }
        return path.resolveSibling(NativePath.of(NativeText.decode(name)));
    }

    /**
     * Sets the mode of a socket before it is bound, and returns the path to bind it to, at which only the owner may
     * connect.
     */
    Path prepare(OwnedFd socket) throws ErrnoException {
        // unix(7): a new socket file has the mode of the socket, less the umask.
        int mode = permissions.mode() & OWNER_ONLY;
        ErrnoException.check("fchmod", Libc.callInt(FCHMOD, socket.number(), mode, 0, 0, 0));
        return draft;
    }

    /** Sets the permissions of the bound file, and links it at its path. */
    void publish() throws IOException {
        bound = true;
        int flags = O_PATH_CLOEXEC | O_NOFOLLOW;
        OwnedFd file =
                new OwnedFd(ErrnoException.check("open " + text(), Libc.callInt(OPEN, name.address(), flags, 0, 0, 0)));
        try {
            requireSocket(file);
            setPermissions(file);
        } finally {
            file.close();
        }
        MemorySegment target = NativePath.allocate(arena, path);
        // link(2) fails if the path exists meanwhile; rename(2) would replace the file.
        ErrnoException.check(
                "bind " + NativePath.text(path), Libc.callInt(LINK, name.address(), target.address(), 0, 0, 0));
    }

    private void requireSocket(OwnedFd file) throws IOException {
        if (!FileStatus.of(file).isSocket()) {
            throw new FileSystemException(text() + " was replaced while its permissions were set");
        }
    }

    private void setPermissions(OwnedFd file) throws ErrnoException {
        if (permissions.group() != SocketFilePermissions.UNCHANGED) {
            long empty = arena.allocateFrom("").address();
            ErrnoException.check(
                    "change the group of " + NativePath.text(path) + " to "
                            + Integer.toUnsignedString(permissions.group()),
                    Libc.callInt(FCHOWNAT, file.number(), empty, -1, permissions.group(), AT_EMPTY_PATH));
        }
        // Not by name: another user who may write the directory could have replaced the name by a link to another file.
        long link = arena.allocateFrom("/proc/self/fd/" + file.number()).address();
        ErrnoException.check(
                "change the mode of " + NativePath.text(path), Libc.callInt(CHMOD, link, permissions.mode(), 0, 0, 0));
    }

    private String text() {
        return NativePath.text(draft);
    }

    /** Removes the name of the draft. */
    @Override
    public void close() {
        if (bound) {
            int ignored = Libc.callInt(UNLINK, name.address(), 0, 0, 0, 0);
            assert ignored <= 0;
        }
        arena.close();
    }
}
