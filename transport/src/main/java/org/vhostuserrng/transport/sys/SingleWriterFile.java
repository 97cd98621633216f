package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A regular file that only this process writes, and that others may read. The user of this process owns the file,
 * nobody else may write it, and it is not a symbolic link. So no other user except root can truncate the file, which
 * would make an access to its mapping raise SIGBUS.
 *
 * <p>The process that writes the file has an open file description lock for writing on the whole file. Readers can only
 * set a read lock. Confined to one thread.
 */
public final class SingleWriterFile implements AutoCloseable {
    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment FCHMOD = Libc.symbol("fchmod");
    private static final MemorySegment GETEUID = Libc.symbol("geteuid");
    private static final MemorySegment POSIX_FALLOCATE = Libc.symbol("posix_fallocate");
    private static final int O_RDWR = 2;
    private static final int O_CREAT = 0x40;
    private static final int O_EXCL = 0x80;
    private static final int O_NOCTTY = 0x100;
    /** open(2): the value depends on the architecture. */
    private static final int O_NOFOLLOW = System.getProperty("os.arch").equals("amd64") ? 0x20000 : 0x8000;

    private static final int O_CLOEXEC = 0x80000;
    private static final int OWNER_ONLY = 0600;
    private static final int OTHERS_WRITE = 0022;

    private static final int MAX_ATTEMPTS = 100;
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private final OwnedFd file;
    private final boolean locked;

    private SingleWriterFile(OwnedFd file, boolean locked) {
        this.file = file;
        this.locked = locked;
    }

    /**
     * Opens the file, or creates it, empty and accessible only by its owner.
     *
     * @throws IOException if the file cannot be opened, or if others may write it; the message does not name the file
     */
    public static SingleWriterFile open(Path path) throws IOException {
        OwnedFd file;
        try (Arena arena = Arena.ofConfined()) {
            file = open(NativePath.allocate(arena, path));
        }
        try {
            requirePrivate(FileStatus.of(file));
            return new SingleWriterFile(file, lock(file));
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }

    private static OwnedFd open(MemorySegment name) throws IOException {
        // O_NONBLOCK: the file may be a FIFO, and opening it would block.
        int flags = O_RDWR | O_NOFOLLOW | OwnedFd.O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        int number = Libc.callInt(OPEN, name.address(), flags, 0, 0, 0);
        if (number == -Errno.ENOENT) {
            number = Libc.callInt(OPEN, name.address(), flags | O_CREAT | O_EXCL, OWNER_ONLY, 0, 0);
        }
        if (number == -Errno.ELOOP) {
            throw new IOException("is a symbolic link");
        }
        if (number < 0) {
            throw new IOException("cannot be opened: " + Libc.describe(-number));
        }
        return new OwnedFd(number);
    }

    private static void requirePrivate(FileStatus status) throws IOException {
        if (!status.isRegularFile()) {
            throw new IOException("is " + status.describeType() + ", expected a regular file");
        }
        if (status.owner() != Libc.callInt(GETEUID, 0, 0, 0, 0, 0)) {
            throw new IOException("belongs to another user");
        }
        if ((status.mode() & OTHERS_WRITE) != 0) {
            throw new IOException("can be written by other users");
        }
    }

    /**
     * Locks the file. Returns false if a reader does not release its lock within a second: a reader must not prevent
     * this process from starting.
     *
     * @throws IOException if another process has locked the file for writing
     */
    private static boolean lock(OwnedFd file) throws IOException {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            int result = OpenFileDescriptionLock.set(file, OpenFileDescriptionLock.F_WRLCK);
            if (result == 0) {
                return true;
            }
            if (result != -Errno.EAGAIN && result != -Errno.EACCES) {
                throw new ErrnoException("fcntl(F_OFD_SETLK)", -result);
            }
            if (OpenFileDescriptionLock.conflicting(file) == OpenFileDescriptionLock.F_WRLCK) {
                throw new IOException("is in use by another process");
            }
            LockSupport.parkNanos(PAUSE);
        }
        return false;
    }

    /** Returns whether this process has the lock, so that no other process can be the writer. */
    public boolean isLocked() {
        return locked;
    }

    /** The file's size in bytes. */
    public long size() throws IOException {
        return FileStatus.of(file).size();
    }

    /**
     * Extends the file to at least {@code size} bytes and maps it until the process exits. Allocates its blocks, so
     * that a store cannot raise SIGBUS for lack of space.
     *
     * @return the mapped file, which any thread may access
     */
    public MemorySegment map(long size) throws IOException {
        int errno = (int) Libc.callRaw(POSIX_FALLOCATE, file.number(), 0, size, 0, 0);
        if (errno != 0) {
            throw new IOException("cannot be extended to " + size + " bytes: " + Libc.describe(errno));
        }
        return MemoryMapping.mapUntilExit(file, size, Set.of("any"));
    }

    /** Sets the permissions of the file, such as after the content of a new file is complete. */
    public void setPermissions(int mode) throws IOException {
        ErrnoException.check("fchmod", Libc.callInt(FCHMOD, file.number(), mode, 0, 0, 0));
    }

    /**
     * Releases the lock and closes the descriptor. The lock must be released explicitly, because the mapping remains
     * and keeps the open file description.
     */
    @Override
    public void close() {
        int ignored = OpenFileDescriptionLock.set(file, OpenFileDescriptionLock.F_UNLCK);
        assert ignored <= 0;
        file.close();
    }
}
