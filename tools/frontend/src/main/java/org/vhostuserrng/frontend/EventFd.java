package org.vhostuserrng.frontend;

import java.io.IOException;
import java.time.Duration;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;

/**
 * An eventfd(2), non-blocking: the kick, the call or the err of a vring. Nothing is allocated after construction, so it
 * may stand in a measured loop.
 */
public final class EventFd implements AutoCloseable {
    private static final int COUNTER_SIZE = 8;
    private static final long FULL = -2;

    private final int fd;
    private final Pointer one;
    private final Pointer counter;
    private final Pointer pollFd;
    private boolean open = true;

    /**
     * An eventfd at zero.
     *
     * @throws IOException when the process has no file descriptor left
     */
    public EventFd() throws IOException {
        this(0);
    }

    private EventFd(int flags) throws IOException {
        fd = LibC.checked("eventfd", LibC.calls().eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK | flags));
        one = LibC.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        one.putLong(0, 1);
        counter = LibC.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        pollFd = LibC.allocatePollFd(fd);
    }

    /** An eventfd of which each read takes one (EFD_SEMAPHORE). */
    public static EventFd semaphore() throws IOException {
        return new EventFd(LibC.EFD_SEMAPHORE);
    }

    /** The file descriptor, owned by this object. */
    public int fd() {
        return fd;
    }

    /** Adds one to the counter. */
    public void signal() throws IOException {
        if (LibC.calls().write(fd, one, COUNTER_SIZE) != COUNTER_SIZE) {
            throw new IOException("write to eventfd " + fd + ": " + LibC.errno());
        }
    }

    /** Adds as much as there is room for: the next {@link #signal} of anybody fails, or waits. */
    public void fill() throws IOException {
        take();
        Pointer full = LibC.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        full.putLong(0, FULL);
        if (LibC.calls().write(fd, full, COUNTER_SIZE) != COUNTER_SIZE) {
            throw new IOException("write to eventfd " + fd + ": " + LibC.errno());
        }
    }

    /** Clears O_NONBLOCK, for everybody who shares the eventfd. */
    public void makeBlocking() throws IOException {
        LibC.checked("fcntl", LibC.calls().fcntl(fd, LibC.F_SETFL, 0));
    }

    /** Takes the counter: how often it was signalled since it was last taken; 0 if not at all. Never blocks. */
    public long take() throws IOException {
        if (LibC.calls().read(fd, counter, COUNTER_SIZE) == COUNTER_SIZE) {
            return counter.getLong(0);
        }
        if (LibC.errno() == Errno.EAGAIN) {
            return 0;
        }
        throw new IOException("read from eventfd " + fd + ": " + LibC.errno());
    }

    /** Waits until the counter is above zero, then takes it; 0 when the time is over. Milliseconds resolution. */
    public long await(Duration timeout) throws IOException {
        return await(timeout.toMillis());
    }

    /** As {@link #await(Duration)}, in milliseconds. */
    public long await(long millis) throws IOException {
        return LibC.awaitReadable(pollFd, millis) ? take() : 0;
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            LibC.calls().close(fd);
        }
    }
}
