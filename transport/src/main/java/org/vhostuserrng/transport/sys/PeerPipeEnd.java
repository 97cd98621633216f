package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PipePair;

/**
 * One end of a pipe that a peer created. The peer shares the open file description and can clear O_NONBLOCK at any
 * time, so splice(2) with SPLICE_F_NONBLOCK moves the bytes from or to a pipe of this process. The peer can hold the
 * lock of its pipe, so all methods except {@link #fd}, {@link #execute} and {@link #close} must run in the peer's
 * {@link PeerFileExecutor}.
 */
public final class PeerPipeEnd implements AutoCloseable {
    /** Returned by {@link #send} and {@link #receive} if the call would block. */
    public static final int WOULD_BLOCK = -Errno.EAGAIN;

    /** The smallest capacity of a pipe on any host in bytes: one page of 4 KiB. */
    public static final int CAPACITY = 4096;

    private static final MemorySegment SPLICE = Libc.symbol("splice");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final int SPLICE_F_NONBLOCK = 2;
    private static final int NO_OFFSET = 0;

    private final OwnedFd peer;
    private final OwnedFd readEnd;
    private final OwnedFd writeEnd;

    private PeerPipeEnd(OwnedFd peer, PipePair own) {
        this.peer = peer;
        this.readEnd = own.takeReadEnd();
        this.writeEnd = own.takeWriteEnd();
    }

    /**
     * Takes ownership of a pipe that a peer sent.
     *
     * @throws IOException if the descriptor is not a pipe: reading any other kind of file could block; the descriptor
     *     is closed
     */
    public static PeerPipeEnd adopt(OwnedFd received) throws IOException {
        try {
            if (!FileStatus.of(received).isPipe()) {
                throw new IOException("expected a pipe");
            }
            return new PeerPipeEnd(received, PipePair.open(OwnedFd.O_NONBLOCK));
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
    }

    /**
     * Sends bytes.
     *
     * @param source at most {@link #CAPACITY} bytes
     * @return the number of bytes sent, {@link #WOULD_BLOCK}, or another negated errno
     */
    public int send(MemorySegment source) {
        int bytes = (int) source.byteSize();
        int queued = (int) Libc.callLong(WRITE, writeEnd.number(), source.address(), bytes, 0, 0, 0);
        int sent = queued < 0 ? queued : splice(readEnd, peer, queued);
        int unsent = queued - Math.max(sent, 0);
        if (unsent > 0) {
            // Removes the unsent bytes from this process's pipe. Overwrites them in the source with the same bytes.
            MemorySegment rest = source.asSlice(queued - unsent);
            long removed = Libc.callLong(READ, readEnd.number(), rest.address(), unsent, 0, 0, 0);
            assert removed == unsent;
        }
        return sent;
    }

    /**
     * Receives bytes.
     *
     * @return the number of bytes received, 0 at the end of the stream, {@link #WOULD_BLOCK}, or another negated errno
     */
    public int receive(MemorySegment target) {
        int moved = splice(peer, writeEnd, (int) Math.min(target.byteSize(), CAPACITY));
        return moved <= 0 ? moved : (int) Libc.callLong(READ, readEnd.number(), target.address(), moved, 0, 0, 0);
    }

    private static int splice(OwnedFd from, OwnedFd to, int limit) {
        return (int) Libc.callLong(SPLICE, from.number(), NO_OFFSET, to.number(), NO_OFFSET, limit, SPLICE_F_NONBLOCK);
    }

    /** The descriptor, to watch with {@link Epoll}. This object remains the owner. */
    public OwnedFd fd() {
        return peer;
    }

    /** Runs an action that calls this object's methods in the peer's executor. */
    public void execute(Runnable calls) {
        peer.execute(calls);
    }

    /** Closes the pipe after all actions that were passed to {@link #execute} before. */
    @Override
    public void close() {
        peer.execute(this::closeAll);
    }

    private void closeAll() {
        peer.closeNow();
        readEnd.closeNow();
        writeEnd.closeNow();
    }
}
