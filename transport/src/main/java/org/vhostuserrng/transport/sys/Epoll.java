package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * An epoll instance. Each watched descriptor has a 64-bit token, which epoll returns with its events. Confined to one
 * thread.
 */
public final class Epoll implements AutoCloseable {
    public static final int EPOLLIN = 0x1;
    public static final int EPOLLOUT = 0x4;
    /** Edge-triggered: epoll reports an event for each write, instead of events as long as the descriptor is ready. */
    public static final int EPOLLET = 1 << 31;

    private static final MemorySegment EPOLL_CREATE1 = Libc.symbol("epoll_create1");
    private static final MemorySegment EPOLL_CTL = Libc.symbol("epoll_ctl");
    private static final MemorySegment EPOLL_WAIT = Libc.symbol("epoll_wait");
    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CTL_MOD = 3;

    // struct epoll_event { uint32_t events; uint64_t data; }, packed on x86-64 only.
    private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");
    private static final long EVENTS = 0;
    private static final long DATA = PACKED ? 4 : 8;
    private static final long EVENT_BYTES = PACKED ? 12 : 16;

    private final Arena arena = Arena.ofConfined();
    private final OwnedFd fd;
    private final MemorySegment change;
    private final MemorySegment ready;
    private final int capacity;

    private Epoll(OwnedFd fd, int capacity) {
        this.fd = fd;
        this.capacity = capacity;
        this.change = arena.allocate(EVENT_BYTES, Long.BYTES);
        this.ready = arena.allocate(EVENT_BYTES * capacity, Long.BYTES);
    }

    /** Opens an instance that returns at most {@code capacity} events per call of {@link #await}. */
    public static Epoll open(int capacity) throws ErrnoException {
        int number = ErrnoException.check("epoll_create1", Libc.callInt(EPOLL_CREATE1, EPOLL_CLOEXEC, 0, 0, 0, 0));
        return new Epoll(new OwnedFd(number), capacity);
    }

    public void add(OwnedFd watched, int events, long data) throws ErrnoException {
        control(EPOLL_CTL_ADD, watched, events, data);
    }

    public void modify(OwnedFd watched, int events, long data) throws ErrnoException {
        control(EPOLL_CTL_MOD, watched, events, data);
    }

    public void remove(OwnedFd watched) throws ErrnoException {
        control(EPOLL_CTL_DEL, watched, 0, 0);
    }

    /**
     * Waits for events.
     *
     * @param timeoutMillis 0 to return immediately, −1 to wait without a timeout
     * @return the number of events, which {@link #data} and {@link #events} return by index; 0 if a signal interrupted
     *     the call
     */
    public int await(int timeoutMillis) throws ErrnoException {
        int count = Libc.callInt(EPOLL_WAIT, fd.number(), ready.address(), capacity, timeoutMillis, 0);
        return count == -Errno.EINTR ? 0 : ErrnoException.check("epoll_wait", count);
    }

    /** Returns the token of an event of the last {@link #await}. */
    public long data(int index) {
        return ready.get(ValueLayout.JAVA_LONG_UNALIGNED, index * EVENT_BYTES + DATA);
    }

    /** Returns the event bits of an event of the last {@link #await}. */
    public int events(int index) {
        return ready.get(ValueLayout.JAVA_INT_UNALIGNED, index * EVENT_BYTES + EVENTS);
    }

    @Override
    public void close() {
        fd.close();
        arena.close();
    }

    private void control(int operation, OwnedFd watched, int events, long data) throws ErrnoException {
        change.set(ValueLayout.JAVA_INT_UNALIGNED, EVENTS, events);
        change.set(ValueLayout.JAVA_LONG_UNALIGNED, DATA, data);
        ErrnoException.check(
                "epoll_ctl", Libc.callInt(EPOLL_CTL, fd.number(), operation, watched.number(), change.address(), 0));
    }
}
