package org.vhostuserrng.libc;

import java.lang.foreign.MemorySegment;

/** Distinguishes descriptors that this process inherited from those that it opened. */
public final class InheritedFds {
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int F_GETFD = 1;
    private static final int FD_CLOEXEC = 1;

    private InheritedFds() {}

    /**
     * Returns the number of a descriptor that this process has not opened. The descriptor need not be open.
     *
     * @throws IllegalArgumentException if this process opened the descriptor
     */
    public static int requireNotOwn(int number) {
        int flags = Libc.callInt(FCNTL, number, F_GETFD, 0, 0, 0);
        // execve(2) closes descriptors with FD_CLOEXEC. The JVM and this program set it on all that they open.
        if (flags >= 0 && (flags & FD_CLOEXEC) != 0) {
            throw new IllegalArgumentException("not an inherited descriptor: this process has opened it");
        }
        return number;
    }
}
