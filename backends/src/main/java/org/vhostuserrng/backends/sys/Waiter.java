package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where a filler thread waits: for a file to become readable, for a time, or for a {@link #wake} by another thread.
 * All but {@code wake} belongs to the filler thread, which also closes it, once.
 */
public final class Waiter implements AutoCloseable {
    private static final MemorySegment EVENTFD = Libc.symbol("eventfd");
    private static final MemorySegment POLL = Libc.symbol("poll");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final MemorySegment CLOSE = Libc.symbol("close");
    private static final int EFD_CLOEXEC_NONBLOCK = 0x80800;
    private static final short POLLIN = 1;
    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

    // struct pollfd { int fd; short events; short revents; }
    private static final long POLLFD_BYTES = 8;
    private static final long EVENTS = 4;
    private static final long REVENTS = 6;

    private final int wakeFd;
    private final MemorySegment polled = Arena.ofAuto().allocate(2 * POLLFD_BYTES, Long.BYTES);
    private final MemorySegment discarded = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);

    private Waiter(int wakeFd) {
        this.wakeFd = wakeFd;
        watch(0, wakeFd);
    }

    public static Waiter open() throws IOException {
        int fd = Libc.callInt(EVENTFD, 0, EFD_CLOEXEC_NONBLOCK, 0, 0, 0);
        if (fd < 0) {
            throw new IOException("eventfd: " + RandomFile.describe(fd));
        }
        return new Waiter(fd);
    }

    /** Waits for a wake-up, at most {@code millis} (−1: without end). */
    public void await(int millis) {
        poll(1, millis);
    }

    /** Waits until {@code file} is readable (or cannot tell, or has failed): false if a wake-up ended that. */
    public boolean awaitReadable(RandomFile file) {
        watch(1, file.fd());
        return !poll(2, -1);
    }

    /** Ends a wait, the present one or the next. Any thread, while this is open. */
    public void wake() {
        long written = Libc.callLong(WRITE, wakeFd, ONE.address(), Long.BYTES, 0, 0);
        assert written == Long.BYTES || written == RandomFile.EAGAIN;
    }

    @Override
    public void close() {
        int ignored = Libc.callInt(CLOSE, wakeFd, 0, 0, 0, 0);
        assert ignored <= 0;
    }

    private void watch(int place, int fd) {
        polled.set(ValueLayout.JAVA_INT, place * POLLFD_BYTES, fd);
        polled.set(ValueLayout.JAVA_SHORT, place * POLLFD_BYTES + EVENTS, POLLIN);
    }

    /** Whether there was a wake-up. */
    private boolean poll(int count, int millis) {
        int ready = Libc.callInt(POLL, polled.address(), count, millis, 0, 0);
        boolean woken = ready > 0 && polled.get(ValueLayout.JAVA_SHORT, REVENTS) != 0;
        if (woken) {
            long ignored = Libc.callLong(READ, wakeFd, discarded.address(), Long.BYTES, 0, 0);
            assert ignored == Long.BYTES || ignored == RandomFile.EAGAIN;
        }
        return woken;
    }
}
