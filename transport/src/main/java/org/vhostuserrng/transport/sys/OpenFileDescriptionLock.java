package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * Open file description locks on a whole file, fcntl(2). Such a lock exists as long as the open file description
 * through which it was set: while a process has a descriptor or a mapping of it, or while it is queued in a socket.
 */
public final class OpenFileDescriptionLock {
    /** l_type: a lock for reading. */
    static final short F_RDLCK = 0;
    /** l_type: a lock for writing. */
    static final short F_WRLCK = 1;
    /** l_type: no lock. */
    static final short F_UNLCK = 2;

    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    // struct flock { short l_type; short l_whence; off_t l_start; off_t l_len; pid_t l_pid; };
    private static final long FLOCK_BYTES = 32;

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;

    private OpenFileDescriptionLock() {}

    /**
     * Opens a memfd again, for reading and writing, and sets a lock for reading through the new open file description.
     *
     * @throws ErrnoException if procfs is not mounted, or if there are too many descriptors
     */
    public static OwnedFd reopenLocked(OwnedFd memfd) throws ErrnoException {
        int number;
        try (Arena arena = Arena.ofConfined()) {
            long path = arena.allocateFrom("/proc/self/fd/" + memfd.number()).address();
            number = ErrnoException.check("open", Libc.callInt(OPEN, path, O_RDWR | O_CLOEXEC, 0, 0, 0));
        }
        OwnedFd reopened = new OwnedFd(number);
        int result = set(reopened, F_RDLCK);
        if (result < 0) {
            reopened.close();
            throw new ErrnoException("fcntl(F_OFD_SETLK)", -result);
        }
        return reopened;
    }

    /** Returns whether there is a lock through another open file description of the file. */
    public static boolean isLockedByAnother(OwnedFd file) throws ErrnoException {
        return conflicting(file) != F_UNLCK;
    }

    /**
     * Sets or releases a lock without waiting. Returns 0 or a negated errno.
     *
     * @param type F_RDLCK, F_WRLCK or F_UNLCK
     */
    static int set(OwnedFd file, short type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(FLOCK_BYTES, Long.BYTES);
            lock.set(ValueLayout.JAVA_SHORT, 0, type);
            return Libc.callInt(FCNTL, file.number(), F_OFD_SETLK, lock.address(), 0, 0);
        }
    }

    /** Returns the type of a lock that prevents a lock for writing; {@link #F_UNLCK} if there is none. */
    static short conflicting(OwnedFd file) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(FLOCK_BYTES, Long.BYTES);
            lock.set(ValueLayout.JAVA_SHORT, 0, F_WRLCK);
            ErrnoException.check(
                    "fcntl(F_OFD_GETLK)", Libc.callInt(FCNTL, file.number(), F_OFD_GETLK, lock.address(), 0, 0));
            return lock.get(ValueLayout.JAVA_SHORT, 0);
        }
    }
}
