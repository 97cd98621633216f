package org.vhostuserrng.daemon.hold.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** The system call poll(2). */
public final class DescriptorPoll {
    private static final MemorySegment POLL = Libc.symbol("poll");
    private static final MemorySegment STATX = Libc.symbol("statx");
    private static final short POLLIN = 1;
    private static final short NO_EVENTS = 0;

    // struct pollfd { int fd; short events; short revents; };
    private static final int EVENTS = 4;
    private static final int REVENTS = 6;
    private static final int POLLFD_BYTES = 8;

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int AT_STATX_DONT_SYNC = 0x4000;
    private static final int STATX_TYPE = 1;
    private static final int STATX_BYTES = 256;
    private static final int STX_MODE = 28;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFREG = 0x8000;

    private DescriptorPoll() {}

    /**
     * Waits until one of two descriptors is readable, the time is over, or a signal interrupts the wait.
     *
     * @param timeoutMillis −1 to wait without a timeout
     */
    public static void awaitReadable(OwnedFd first, OwnedFd second, int timeoutMillis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pollFds = arena.allocate(2 * POLLFD_BYTES, Integer.BYTES);
            pollFds.set(ValueLayout.JAVA_INT, 0, first.number());
            pollFds.set(ValueLayout.JAVA_SHORT, EVENTS, POLLIN);
            pollFds.set(ValueLayout.JAVA_INT, POLLFD_BYTES, second.number());
            pollFds.set(ValueLayout.JAVA_SHORT, POLLFD_BYTES + EVENTS, POLLIN);
            // The result, also EINTR, is not needed: the caller checks both descriptors and all deadlines.
            int ignored = Libc.callInt(POLL, pollFds.address(), 2, timeoutMillis, 0, 0);
            assert ignored <= 2;
        }
    }

    /**
     * Returns whether poll(2) reports POLLHUP or POLLERR for a descriptor. Always false for a regular file, which is
     * not polled because that might block.
     */
    public static boolean isHungUp(OwnedFd fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(STATX_BYTES, Long.BYTES);
            long empty = arena.allocateFrom("").address();
            int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
            int result = Libc.callInt(STATX, fd.number(), empty, flags, STATX_TYPE, status.address());
            if (result < 0 || (status.get(ValueLayout.JAVA_SHORT, STX_MODE) & S_IFMT) == S_IFREG) {
                return false;
            }
            MemorySegment pollFd = arena.allocate(POLLFD_BYTES, Integer.BYTES);
            pollFd.set(ValueLayout.JAVA_INT, 0, fd.number());
            pollFd.set(ValueLayout.JAVA_SHORT, EVENTS, NO_EVENTS);
            return Libc.callInt(POLL, pollFd.address(), 1, 0, 0, 0) == 1
                    && pollFd.get(ValueLayout.JAVA_SHORT, REVENTS) != 0;
        }
    }
}
