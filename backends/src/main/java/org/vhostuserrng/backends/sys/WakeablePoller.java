package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * Waits with poll(2) until a file or socket is ready, a timeout expires, or another thread calls {@link #wakeUp}, which
 * uses an eventfd. All other methods are confined to the owning thread, which must close the poller.
 */
public final class WakeablePoller implements AutoCloseable {
    private static final MemorySegment EVENTFD = Libc.symbol("eventfd");
    private static final MemorySegment POLL = Libc.symbol("poll");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final int EFD_CLOEXEC_NONBLOCK = 0x80800;
    private static final short POLLIN = 1;
    private static final short POLLOUT = 4;
    private static final int IGNORED_FD = -1;
    /** Interval at which the end of a child process without a pidfd is looked up. */
    private static final int END_POLL_MILLIS = 500;

    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

    // struct pollfd { int fd; short events; short revents; }
    private static final long POLLFD_BYTES = 8;
    private static final long EVENTS = 4;
    private static final long REVENTS = 6;

    private final OwnedFd wakeFd;
    private final MemorySegment polled = Arena.ofAuto().allocate(4 * POLLFD_BYTES, Long.BYTES);
    private final MemorySegment discarded = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);

    private WakeablePoller(OwnedFd wakeFd) {
        this.wakeFd = wakeFd;
        watch(0, wakeFd.numberOrClosed(), POLLIN);
    }

    /**
     * Opens a poller.
     *
     * @throws IOException if eventfd(2) fails, with the description of the errno
     */
    public static WakeablePoller open() throws IOException {
        int fd = Libc.callInt(EVENTFD, 0, EFD_CLOEXEC_NONBLOCK, 0, 0, 0);
        if (fd < 0) {
            throw new IOException("eventfd: " + EntropyFile.describe(fd));
        }
        return new WakeablePoller(new OwnedFd(fd));
    }

    /** Waits at most {@code millis}, or without a timeout if it is −1. Returns whether the poller was woken. */
    public boolean sleep(int millis) {
        return poll(1, millis);
    }

    /**
     * Waits at most {@code millis} until {@code file} is readable or has failed; returns at once if the file does not
     * support poll(2). Returns whether the poller was woken.
     */
    public boolean awaitReadable(EntropyFile file, int millis) {
        watch(1, file.fd(), POLLIN);
        return poll(2, millis);
    }

    /**
     * Waits until one of two files is readable or at its end. One of them may be null. Returns whether the poller was
     * woken.
     */
    public boolean awaitReadable(EntropyFile first, EntropyFile second) {
        watch(1, first == null ? IGNORED_FD : first.fd(), POLLIN);
        watch(2, second == null ? IGNORED_FD : second.fd(), POLLIN);
        return poll(3, -1);
    }

    /**
     * Waits until the stdout of a child process or {@code stderr}, which may be null, is readable or at its end, or
     * until the process has ended. Returns whether the poller was woken.
     */
    public boolean awaitOutputOrEnd(ChildProcess child, EntropyFile stderr) {
        watch(1, child.stdout().fd(), POLLIN);
        watch(2, stderr == null ? IGNORED_FD : stderr.fd(), POLLIN);
        watch(3, child.pidfd(), POLLIN);
        return poll(4, child.pidfd() < 0 ? END_POLL_MILLIS : -1);
    }

    /** Waits at most {@code millis} until {@code socket} is readable or disconnected, or until the poller is woken. */
    public void awaitReadable(TcpOrUnixClientSocket socket, int millis) {
        watch(1, socket.fd(), POLLIN);
        poll(2, millis);
    }

    /**
     * Waits at most {@code millis} until a connection attempt of {@code socket} has ended, or until the poller is
     * woken. Returns whether the attempt has ended.
     */
    public boolean awaitWritable(TcpOrUnixClientSocket socket, int millis) {
        watch(1, socket.fd(), POLLOUT);
        poll(2, millis);
        return polled.get(ValueLayout.JAVA_SHORT, POLLFD_BYTES + REVENTS) != 0;
    }

    /** Like {@link #awaitReadable(TcpOrUnixClientSocket, int)}, and also returns when {@code socket} is writable. */
    public void awaitReadableOrWritable(TcpOrUnixClientSocket socket, int millis) {
        watch(1, socket.fd(), (short) (POLLIN | POLLOUT));
        poll(2, millis);
    }

    /** Ends the current or the next wait. May be called on any thread while the poller is open. */
    public void wakeUp() {
        long written = Libc.callLong(WRITE, wakeFd.numberOrClosed(), ONE.address(), Long.BYTES, 0, 0, 0);
        assert written == Long.BYTES || written == EntropyFile.EAGAIN;
    }

    @Override
    public void close() {
        wakeFd.close();
    }

    private void watch(int index, int fd, short events) {
        polled.set(ValueLayout.JAVA_INT, index * POLLFD_BYTES, fd);
        polled.set(ValueLayout.JAVA_SHORT, index * POLLFD_BYTES + EVENTS, events);
        polled.set(ValueLayout.JAVA_SHORT, index * POLLFD_BYTES + REVENTS, (short) 0);
    }

    /** Calls poll(2) for the first {@code count} descriptors. Returns whether the poller was woken. */
    private boolean poll(int count, int millis) {
        int ready = Libc.callInt(POLL, polled.address(), count, millis, 0, 0);
        boolean woken = ready > 0 && polled.get(ValueLayout.JAVA_SHORT, REVENTS) != 0;
        if (woken) {
            long ignored = Libc.callLong(READ, wakeFd.numberOrClosed(), discarded.address(), Long.BYTES, 0, 0, 0);
            assert ignored == Long.BYTES || ignored == EntropyFile.EAGAIN;
        }
        return woken;
    }
}
