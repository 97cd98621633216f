package org.vhostuserrng.frontend;

import java.io.IOException;
import java.time.Duration;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;

/**
 * An eventfd(2), non-blocking: the kick, the call or the err of a vring. Nothing is allocated after construction, so it
 * may stand in a measured loop.
 */
public final class FrontendEventFd implements AutoCloseable {
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
    public FrontendEventFd() throws IOException {
        this(0);
    }

    private FrontendEventFd(int flags) throws IOException {
        fd = FrontendLibc.checkErrno(
                "eventfd",
                FrontendLibc.calls().eventfd(0, FrontendLibc.EFD_CLOEXEC | FrontendLibc.EFD_NONBLOCK | flags));
        one = FrontendLibc.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        one.putLong(0, 1);
        counter = FrontendLibc.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        pollFd = FrontendLibc.allocatePollFd(fd);
    }

    /** An eventfd of which each read takes one (EFD_SEMAPHORE). */
    public static FrontendEventFd semaphore() throws IOException {
        return new FrontendEventFd(FrontendLibc.EFD_SEMAPHORE);
    }

    /** The file descriptor, owned by this object. */
    public int fd() {
        return fd;
    }

    /** Adds one to the counter. */
    public void signal() throws IOException {
        if (FrontendLibc.calls().write(fd, one, COUNTER_SIZE) != COUNTER_SIZE) {
            throw new IOException("write to eventfd " + fd + ": " + FrontendLibc.errno());
        }
    }

    /** Adds as much as there is room for: the next {@link #signal} of anybody fails, or waits. */
    public void fillCounter() throws IOException {
        read();
        Pointer full = FrontendLibc.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        full.putLong(0, FULL);
        if (FrontendLibc.calls().write(fd, full, COUNTER_SIZE) != COUNTER_SIZE) {
            throw new IOException("write to eventfd " + fd + ": " + FrontendLibc.errno());
        }
    }

    /** Clears O_NONBLOCK, for everybody who shares the eventfd. */
    public void makeBlocking() throws IOException {
        FrontendLibc.checkErrno("fcntl", FrontendLibc.calls().fcntl(fd, FrontendLibc.F_SETFL, 0));
    }

    /** Takes the counter: how often it was signalled since it was last taken; 0 if not at all. Never blocks. */
    public long read() throws IOException {
        if (FrontendLibc.calls().read(fd, counter, COUNTER_SIZE) == COUNTER_SIZE) {
            return counter.getLong(0);
        }
        if (FrontendLibc.errno() == Errno.EAGAIN) {
            return 0;
        }
        throw new IOException("read from eventfd " + fd + ": " + FrontendLibc.errno());
    }

    /** Waits until the counter is above zero, then takes it; 0 when the time is over. Milliseconds resolution. */
    public long awaitAndRead(Duration timeout) throws IOException {
        return awaitAndRead(timeout.toMillis());
    }

    /** As {@link #awaitAndRead(Duration)}, in milliseconds. */
    public long awaitAndRead(long millis) throws IOException {
        return FrontendLibc.awaitReadable(pollFd, millis) ? read() : 0;
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            FrontendLibc.calls().close(fd);
        }
    }
}
