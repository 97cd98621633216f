package org.vhostuserrng.frontend;

import java.io.IOException;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;

/**
 * An epoll(7) instance that waits for signals of eventfds. It is edge-triggered: each signal wakes the waiting thread
 * once even if the thread never reads the eventfd, so that the eventfd's counter is the number of signals. Does not
 * allocate after {@link #add}, so that it can be used in a measured loop.
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
     * Creates an epoll instance without eventfds.
     *
     * @param capacity maximum number of eventfds that one {@link #await} reports
     * @throws IOException if the process has no file descriptors left
     */
    public FrontendEpoll(int capacity) throws IOException {
        this.capacity = capacity;
        events = FrontendLibc.runtime().getMemoryManager().allocateDirect(EVENT_SIZE * capacity);
        fd = FrontendLibc.checkErrno("epoll_create1", FrontendLibc.calls().epoll_create1(EPOLL_CLOEXEC));
    }

    /** Adds an eventfd; {@link #token} returns {@code token} for it. Closing the eventfd removes it. */
    public void add(FrontendEventFd signalled, int token) throws IOException {
        Pointer event = FrontendLibc.runtime().getMemoryManager().allocateDirect(EVENT_SIZE);
        event.putInt(0, EPOLLIN | EPOLLET);
        event.putLong(DATA, token);
        FrontendLibc.checkErrno("epoll_ctl", FrontendLibc.calls().epoll_ctl(fd, EPOLL_CTL_ADD, signalled.fd(), event));
    }

    /**
     * Waits for a signal that has not been reported yet.
     *
     * @param millis timeout in milliseconds; 0 to return immediately
     * @return number of signalled eventfds; 0 if the timeout expires
     */
    public int await(int millis) throws IOException {
        int ready = FrontendLibc.calls().epoll_wait(fd, events, capacity, millis);
        if (ready < 0 && FrontendLibc.errno() == Errno.EINTR) {
            return 0;
        }
        return FrontendLibc.checkErrno("epoll_wait", ready);
    }

    /** Waits for one signal without a timeout; epoll_wait(2) writes its event to {@code target}. */
    void awaitInto(Pointer target) {
        FrontendLibc.calls().epoll_wait(fd, target, 1, -1);
    }

    /** The token of an eventfd that the last {@link #await} reported; {@code index} is 0 to the result of await - 1. */
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
