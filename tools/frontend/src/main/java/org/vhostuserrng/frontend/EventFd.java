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
        fd = LibC.checked("eventfd", LibC.calls().eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK));
        one = LibC.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        one.putLong(0, 1);
        counter = LibC.runtime().getMemoryManager().allocateDirect(COUNTER_SIZE);
        pollFd = LibC.allocatePollFd(fd);
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
