package org.vhostuserrng.frontend;

import java.io.IOException;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;

/**
 * An epoll(7) instance that waits for eventfds to be signalled, edge triggered: each signal wakes it once and none has
 * to be taken, so that an eventfd's counter is, at the end, the number of its signals. Nothing is allocated after
 * {@link #add}, so it may stand in a measured loop.
 */
public final class FrontendEpoll implements AutoCloseable {
    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLLIN = 0x1;
    private static final int EPOLLET = 1 << 31;

    // struct epoll_event { uint32_t events; uint64_t data; }, packed on x86-64 only.
    private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");
    private static final int DATA = PACKED ? 4 : 8;
    private static final int EVENT_SIZE = PACKED ? 12 : 16;

    private final int fd;
    private final int capacity;
    private final Pointer events;
    private boolean open = true;

    /**
     * An instance that waits for nothing yet.
     *
     * @param capacity eventfds reported at a time
     * @throws IOException when the process has no file descriptor left
     */
    public FrontendEpoll(int capacity) throws IOException {
        this.capacity = capacity;
        events = FrontendLibc.runtime().getMemoryManager().allocateDirect(EVENT_SIZE * capacity);
        fd = FrontendLibc.checkErrno("epoll_create1", FrontendLibc.calls().epoll_create1(EPOLL_CLOEXEC));
    }

    /** Waits for this eventfd too, until it is closed; {@code token} will name it. */
    public void add(FrontendEventFd signalled, int token) throws IOException {
        Pointer event = FrontendLibc.runtime().getMemoryManager().allocateDirect(EVENT_SIZE);
        event.putInt(0, EPOLLIN | EPOLLET);
        event.putLong(DATA, token);
        FrontendLibc.checkErrno("epoll_ctl", FrontendLibc.calls().epoll_ctl(fd, EPOLL_CTL_ADD, signalled.fd(), event));
    }

    /**
     * Waits until an eventfd was signalled that has not been reported since.
     *
     * @param millis 0 returns at once
     * @return how many there are; 0 when the time is over
     */
    public int await(int millis) throws IOException {
        int ready = FrontendLibc.calls().epoll_wait(fd, events, capacity, millis);
        if (ready < 0 && FrontendLibc.errno() == Errno.EINTR) {
            return 0;
        }
        return FrontendLibc.checkErrno("epoll_wait", ready);
    }

    /** Which eventfd the last {@link #await} reported at an index. */
    public int token(int index) {
        return (int) events.getLong((long) index * EVENT_SIZE + DATA);
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            FrontendLibc.calls().close(fd);
        }
    }
}
