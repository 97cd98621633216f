package org.vhostuserrng.transport.sys;

import java.lang.foreign.MemorySegment;

/**
 * A file descriptor with one owner, closed once. Handing the object over hands the ownership over. Confined to the
 * thread that owns it.
 *
 * <p>One that a peer sent may be of anything, and to close it may take any time: its {@link #close} only puts it into a
 * {@link DeferredCloser}.
 */
public final class OwnedFd implements AutoCloseable {
    private static final MemorySegment CLOSE = Libc.symbol("close");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    static final int O_NONBLOCK = 0x800;
    private static final int CLOSED = -1;

    private int number;
    /** Null for one of our own. */
    private final DeferredCloser line;

    /** One of our own. */
    public OwnedFd(int number) {
        this(number, null);
    }

    /** One that a peer sent, or a socket in which it may have left others. */
    public OwnedFd(int number, DeferredCloser line) {
        if (number < 0) {
            throw new IllegalArgumentException("descriptor " + number);
        }
        this.number = number;
        this.line = line;
    }

    /** A descriptor that came over this one. */
    OwnedFd received(int received) {
        return new OwnedFd(received, line);
    }

    /** The number for a system call; the object stays the owner. */
    public int number() {
        if (number == CLOSED) {
            throw new IllegalStateException("descriptor is closed");
        }
        return number;
    }

    /** Sets O_NONBLOCK on the open file, which a peer may share. */
    public void setNonBlocking() throws ErrnoException {
        int flags = ErrnoException.check("fcntl(F_GETFL)", Libc.callInt(FCNTL, number(), F_GETFL, 0, 0, 0));
        ErrnoException.check("fcntl(F_SETFL)", Libc.callInt(FCNTL, number(), F_SETFL, flags | O_NONBLOCK, 0, 0));
    }

    /** Does nothing the second time. Of a descriptor that a peer sent the number stays in use for a while. */
    @Override
    public void close() {
        if (number != CLOSED) {
            int closing = number;
            number = CLOSED;
            release(() -> close(closing));
        }
    }

    /** As {@link #close}, of a descriptor of which it is known that this does not wait. */
    void closeAtOnce() {
        if (number != CLOSED) {
            close(number);
            number = CLOSED;
        }
    }

    /** Does what may end the use of the file: now or, if a peer sent it, in the line. */
    void release(Runnable end) {
        if (line == null) {
            end.run();
        } else {
            line.add(end);
        }
    }

    /** Linux frees the number even when close reports an error, so that is not acted on. */
    private static void close(int number) {
        int ignored = Libc.callInt(CLOSE, number, 0, 0, 0, 0);
        assert ignored <= 0;
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
