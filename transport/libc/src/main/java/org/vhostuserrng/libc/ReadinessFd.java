package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An inherited descriptor on which a supervisor waits for a newline, as s6 does: a pipe, FIFO, socket or file. Confined
 * to one thread.
 */
public final class ReadinessFd {
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final MemorySegment POLL = Libc.symbol("poll");
    private static final short POLLOUT = 4;
    /** struct pollfd { int fd; short events; short revents; }. */
    private static final int POLLFD_BYTES = 8;

    private final OwnedFd fd;

    private ReadinessFd(OwnedFd fd) {
        this.fd = fd;
    }

    /**
     * Takes ownership of a descriptor.
     *
     * @throws IllegalArgumentException if the descriptor is not open for writing; the caller then remains its owner
     */
    public static ReadinessFd of(int number) {
        OwnedFd fd = new OwnedFd(number);
        try {
            if (fd.accessMode() != OwnedFd.O_RDONLY) {
                return new ReadinessFd(fd);
            }
        } catch (ErrnoException closed) {
            throw new IllegalArgumentException("not an open descriptor", closed);
        }
        throw new IllegalArgumentException("not open for writing");
    }

    /**
     * Writes a newline and closes the descriptor. Does not wait for room.
     *
     * @throws ErrnoException if there is no room (EAGAIN), or the write fails
     */
    public void signal() throws ErrnoException {
        try (Arena arena = Arena.ofConfined();
                fd) {
            MemorySegment poll = arena.allocate(POLLFD_BYTES, Integer.BYTES);
            poll.set(ValueLayout.JAVA_INT, 0, fd.number());
            poll.set(ValueLayout.JAVA_SHORT, 4, POLLOUT);
            int ready = ErrnoException.check("poll", Libc.callInt(POLL, poll.address(), 1, 0, 0, 0));
            if (ready == 0) {
                throw new ErrnoException("write", Errno.EAGAIN);
            }
            MemorySegment newline = arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) '\n');
            int written = (int) Libc.callLong(WRITE, fd.number(), newline.address(), 1, 0, 0, 0);
            ErrnoException.check("write", written);
        }
    }
}
