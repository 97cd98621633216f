package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/** The system call getrandom(2). Any thread. */
public final class GetrandomSyscall {
    /** Returned by {@link #fill} if the kernel's generator is not seeded yet. */
    public static final int EAGAIN = EntropyFile.EAGAIN;
    /** Returned by {@link #fill} if the target memory does not exist. */
    public static final int EFAULT = EntropyFile.EFAULT;

    /**
     * syscall(2), because libc's getrandom is a cancellation point, which takes longer in a process with several
     * threads.
     */
    private static final MemorySegment SYSCALL = Libc.symbol("syscall");

    private static final int SYS_GETRANDOM =
            System.getProperty("os.arch").equals("amd64") ? 318 : 278; // asm/unistd_64.h, asm-generic/unistd.h
    static final int GRND_NONBLOCK = 1;
    private static final int EINTR = -4;

    private GetrandomSyscall() {}

    /**
     * Fills {@code target} at {@code offset}, which may be guest memory, with random bytes.
     *
     * @return the number of bytes written, 1 to {@code length}, or a negated errno
     */
    public static int fill(MemorySegment target, long offset, int length) {
        long address = EntropyFile.address(target, offset, length);
        long result;
        do {
            result = Libc.callLong(SYSCALL, SYS_GETRANDOM, address, length, GRND_NONBLOCK, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /**
     * Returns {@code count} random numbers.
     *
     * @throws IOException if the kernel's generator is not seeded yet
     */
    public static long[] randomLongs(int count) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG, count);
            int length = (int) bytes.byteSize();
            for (int filled = 0; filled < length; ) {
                int more = fill(bytes, filled, length - filled);
                if (more < 0) {
                    throw new IOException("getrandom: " + describe(more));
                }
                filled += more;
            }
            long[] longs = bytes.toArray(ValueLayout.JAVA_LONG);
            bytes.fill((byte) 0);
            return longs;
        }
    }

    /** Returns the description of a negated errno. */
    public static String describe(int negatedErrno) {
        return EntropyFile.describe(negatedErrno);
    }
}
