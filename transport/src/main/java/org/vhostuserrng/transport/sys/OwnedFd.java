package org.vhostuserrng.transport.sys;

import java.lang.foreign.MemorySegment;

/**
 * A file descriptor with one owner, closed once. Handing the object over hands the ownership over. Confined to the
 * thread that owns it.
 */
public final class OwnedFd implements AutoCloseable {
    private static final MemorySegment CLOSE = Libc.symbol("close");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    static final int O_NONBLOCK = 0x800;
    private static final int CLOSED = -1;

    private int number;

    public OwnedFd(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("descriptor " + number);
        }
        this.number = number;
    }

    /** The number for a system call; the object stays the owner. */
    public int number() {
        if (number == CLOSED) {
            throw new IllegalStateException("descriptor is closed");
        }
        return number;
    }

    /** Sets O_NONBLOCK on the open file, which a peer may share. */
    public void setNonBlocking() throws HostFault {
        int flags = HostFault.check("fcntl(F_GETFL)", Libc.callInt(FCNTL, number(), F_GETFL, 0, 0, 0));
        HostFault.check("fcntl(F_SETFL)", Libc.callInt(FCNTL, number(), F_SETFL, flags | O_NONBLOCK, 0, 0));
    }

    /** Does nothing the second time. Linux frees the number even when close reports an error, so that is not acted on. */
    @Override
    public void close() {
        if (number != CLOSED) {
            int closing = number;
            number = CLOSED;
            int ignored = Libc.callInt(CLOSE, closing, 0, 0, 0, 0);
            assert ignored <= 0;
        }
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
