package org.vhostuserrng.frontend;

import java.io.IOException;
import java.time.Duration;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;

/**
 * A non-blocking eventfd(2): the kick, call or err descriptor of a vring. Does not allocate after construction, so that
 * it can be used in a measured loop.
 */
public final class FrontendEventFd implements AutoCloseable {
    private static final int COUNTER_SIZE = 8;
    /** Maximum value of the counter, 2^64 - 2: eventfd(2). */
    private static final long MAX_COUNTER = -2;

    private final int fd;
    private final Pointer one;
    private final Pointer counter;
    private final Pointer pollFd;
    private boolean open = true;

    /**
     * Creates an eventfd whose counter is zero.
     *
     * @throws IOException if the process has no file descriptors left
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

    /** Creates an eventfd with EFD_SEMAPHORE: each read decrements the counter by one. */
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

    /**
     * Sets the counter to its maximum: the next {@link #signal} by any process then fails with EAGAIN or, if the
     * eventfd is blocking, blocks.
     */
    public void fillCounter() throws IOException {
        read();
        Pointer full = FrontendLibc.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        full.putLong(0, MAX_COUNTER);
        if (FrontendLibc.calls().write(fd, full, COUNTER_SIZE) != COUNTER_SIZE) {
            throw new IOException("write to eventfd " + fd + ": " + FrontendLibc.errno());
        }
    }

    /** Clears O_NONBLOCK. This affects all processes that share the eventfd. */
    public void makeBlocking() throws IOException {
        FrontendLibc.checkErrno("fcntl", FrontendLibc.calls().fcntl(fd, FrontendLibc.F_SETFL, 0));
    }

    /**
     * Returns the number of signals since the last read, and resets the counter. Does not block: returns 0 if there
     * were none.
     */
    public long read() throws IOException {
        if (FrontendLibc.calls().read(fd, counter, COUNTER_SIZE) == COUNTER_SIZE) {
            return counter.getLong(0);
        }
        if (FrontendLibc.errno() == Errno.EAGAIN) {
            return 0;
        }
        throw new IOException("read from eventfd " + fd + ": " + FrontendLibc.errno());
    }

    /**
     * Waits until the counter is non-zero and reads it; returns 0 if the timeout expires. The resolution of the timeout
     * is one millisecond.
     */
    public long awaitAndRead(Duration timeout) throws IOException {
        return awaitAndRead(timeout.toMillis());
    }

    /** Like {@link #awaitAndRead(Duration)}, with the timeout in milliseconds. */
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
