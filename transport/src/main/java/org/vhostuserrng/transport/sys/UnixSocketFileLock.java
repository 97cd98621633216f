package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A lock on the file {@code PATH.lock} beside a socket. Without it, two daemons that start at the same time could both
 * find the socket file stale, and the second one would remove the file that the first one has just bound.
 *
 * <p>Only the daemon's user can open the lock file, so no other user can lock it. The file exists only while it is
 * locked; a file that a killed daemon left is used again. A file of another user, and a symbolic link, are not used. A
 * daemon that does not get the lock within {@link #MAX_ATTEMPTS} starts without it, because the lock only prevents
 * accidents.
 */
final class UnixSocketFileLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UnixSocketFileLock.class);
    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment FLOCK = Libc.symbol("flock");
    private static final MemorySegment UNLINK = Libc.symbol("unlink");
    private static final MemorySegment GETEUID = Libc.symbol("geteuid");
    private static final int O_CREAT = 0x40;
    private static final int O_NOCTTY = 0x100;
    /** open(2): the value depends on the architecture. */
    private static final int O_NOFOLLOW = System.getProperty("os.arch").equals("amd64") ? 0x20000 : 0x8000;

    private static final int O_CLOEXEC = 0x80000;
    private static final int OWNER_ONLY = 0600;
    private static final int LOCK_EX_NB = 2 | 4;
    private static final String BUSY = "another process has locked the file";
    private static final int MAX_ATTEMPTS = 200;
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private final String text;
    /** The path as a C string. */
    private final MemorySegment name;
    /** The locked file; null if this object does not have the lock. */
    private OwnedFd locked;
    /** The reason why this object does not have the lock; null if it has. */
    private String refusal;

    private UnixSocketFileLock(Path socket) {
        Path path = socket.resolveSibling(NativePath.of(NativePath.text(socket.getFileName()) + ".lock"));
        text = NativePath.text(path);
        name = NativePath.allocate(Arena.ofAuto(), path);
    }

    /** Waits for the lock of a socket's path for a limited time. The returned object may not have the lock. */
    static UnixSocketFileLock acquire(Path socket) throws IOException {
        UnixSocketFileLock lock = new UnixSocketFileLock(socket);
        lock.tryLock();
        for (int attempt = 1; BUSY.equals(lock.refusal) && attempt < MAX_ATTEMPTS; attempt++) {
            LockSupport.parkNanos(PAUSE);
            lock.tryLock();
        }
        return lock;
    }

    /**
     * Tries to lock a socket's path without waiting. The returned object may not have the lock.
     *
     * @throws IOException if another process has the lock
     */
    static UnixSocketFileLock tryAcquire(Path socket) throws IOException {
        UnixSocketFileLock lock = new UnixSocketFileLock(socket);
        lock.tryLock();
        if (BUSY.equals(lock.refusal)) {
            throw new FileSystemException(lock.text + ": " + BUSY);
        }
        return lock;
    }

    /** Logs the reason if a socket was bound without the lock. */
    void logRefusal() {
        if (refusal != null) {
            LOG.warn("{}: {}; listening without this lock", text, refusal);
        }
    }

    private void tryLock() throws IOException {
        // O_NONBLOCK: the file may be a FIFO.
        int flags = O_CREAT | O_NOFOLLOW | OwnedFd.O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        int number = Libc.callInt(OPEN, name.address(), flags, OWNER_ONLY, 0, 0);
        if (number == -Errno.ENOENT || number == -Errno.ENOTDIR) {
            throw new FileSystemException("no directory for " + text);
        }
        if (number < 0) {
            refusal = Libc.describe(-number);
            return;
        }
        OwnedFd file = new OwnedFd(number);
        refusal = refusal(file);
        if (refusal == null) {
            locked = file;
        } else {
            file.close();
        }
    }

    /** Locks the file and returns null, or the reason why it cannot be locked. */
    private String refusal(OwnedFd file) throws ErrnoException {
        FileStatus status = FileStatus.of(file);
        if (!status.isRegularFile() || status.owner() != Libc.callInt(GETEUID, 0, 0, 0, 0, 0)) {
            return "not a regular file of this user";
        }
        int result = Libc.callInt(FLOCK, file.number(), LOCK_EX_NB, 0, 0, 0);
        if (result < 0 && result != -Errno.EAGAIN) {
            return Libc.describe(-result);
        }
        // If the path no longer names the locked file, its previous owner has removed it: the next attempt creates
        // another one.
        return result == 0 && status.isNamed(name, scratch()) == 1 ? null : BUSY;
    }

    private static MemorySegment scratch() {
        return Arena.ofAuto().allocate(FileStatus.STATX_BYTES, Long.BYTES);
    }

    /** Removes the file while it is still locked. */
    @Override
    public void close() {
        if (locked != null) {
            int ignored = Libc.callInt(UNLINK, name.address(), 0, 0, 0, 0);
            assert ignored <= 0;
            locked.close();
        }
    }
}
