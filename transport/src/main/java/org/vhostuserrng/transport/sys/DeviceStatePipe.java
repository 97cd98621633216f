package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One end of a pipe that a peer made, and whose other end it has. Whether such an end blocks is the peer's to say, at
 * any moment, as both share the open file; so bytes go by way of a pipe of our own, and from one to the other by
 * splice(2), which can be told not to wait. Confined to the thread that created it.
 */
public final class DeviceStatePipe implements AutoCloseable {
    /** What {@link #send} and {@link #receive} return when the call would have had to wait. */
    public static final int WOULD_BLOCK = -Errno.EAGAIN;

    /** What a pipe holds at least, whatever the host's limits: a page. */
    public static final int CAPACITY = 4096;

    private static final MemorySegment PIPE2 = Libc.symbol("pipe2");
    private static final MemorySegment SPLICE = Libc.symbol("splice");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final int O_CLOEXEC = 0x80000;
    private static final int SPLICE_F_NONBLOCK = 2;
    private static final int NO_OFFSET = 0;

    private final OwnedFd peer;
    private final OwnedFd readEnd;
    private final OwnedFd writeEnd;

    private DeviceStatePipe(OwnedFd peer, OwnedFd readEnd, OwnedFd writeEnd) {
        this.peer = peer;
        this.readEnd = readEnd;
        this.writeEnd = writeEnd;
    }

    /**
     * Takes a descriptor that a peer sent, and closes it if it is none of a pipe.
     *
     * @throws IOException if it is none: a read from a file can wait for whoever provides the file system
     */
    public static DeviceStatePipe adopt(OwnedFd received) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            if (!FileStatus.of(received).isPipe()) {
                throw new IOException("expected a pipe");
            }
            MemorySegment ends = arena.allocate(2L * Integer.BYTES, Integer.BYTES);
            ErrnoException.check("pipe2", Libc.callInt(PIPE2, ends.address(), O_CLOEXEC | OwnedFd.O_NONBLOCK, 0, 0, 0));
            OwnedFd readEnd = new OwnedFd(ends.get(ValueLayout.JAVA_INT, 0));
            OwnedFd writeEnd = new OwnedFd(ends.get(ValueLayout.JAVA_INT, Integer.BYTES));
            return new DeviceStatePipe(received, readEnd, writeEnd);
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
    }

    /**
     * Puts bytes where {@link #send} takes them from.
     *
     * @param bytes at most {@link #CAPACITY}, while nothing else waits to be sent
     */
    public void put(byte[] bytes) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            int written = (int) Libc.callLong(WRITE, writeEnd.number(), source.address(), bytes.length, 0, 0, 0);
            ErrnoException.check("write to a pipe", written);
            assert written == bytes.length;
        }
    }

    /** Sends what was put: how many bytes the peer's pipe took, {@link #WOULD_BLOCK}, or another negated errno. */
    public int send(int most) {
        return splice(readEnd, peer, most);
    }

    /**
     * Receives bytes.
     *
     * @return how many, 0 at the end, {@link #WOULD_BLOCK}, or another negated errno
     */
    public int receive(MemorySegment target) {
        int moved = splice(peer, writeEnd, (int) Math.min(target.byteSize(), CAPACITY));
        return moved <= 0 ? moved : (int) Libc.callLong(READ, readEnd.number(), target.address(), moved, 0, 0, 0);
    }

    private static int splice(OwnedFd from, OwnedFd to, int most) {
        return (int) Libc.callLong(SPLICE, from.number(), NO_OFFSET, to.number(), NO_OFFSET, most, SPLICE_F_NONBLOCK);
    }

    /** For registration with {@link Epoll}; this object stays the owner. */
    public OwnedFd fd() {
        return peer;
    }

    @Override
    public void close() {
        peer.close();
        readEnd.close();
        writeEnd.close();
    }
}
