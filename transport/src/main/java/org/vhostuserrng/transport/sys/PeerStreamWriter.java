package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.OwnedFd;

/**
 * Writes to a stream whose descriptor a peer sent: a connected stream socket of any domain, or the write end of a pipe.
 * Never waits for room, even if the peer clears O_NONBLOCK. {@link #adopt} and {@link #send} may wait for locks that
 * the peer holds, so they must run in the peer's {@link PeerFileExecutor}.
 */
public final class PeerStreamWriter implements AutoCloseable {
    /** Returned by {@link #send} if the call would block. */
    public static final int WOULD_BLOCK = UnixStreamSocket.WOULD_BLOCK;

    /** Null for a pipe. */
    private final UnixStreamSocket socket;
    /** Null for a socket. */
    private final PeerPipeEnd pipe;

    private PeerStreamWriter(UnixStreamSocket socket, PeerPipeEnd pipe) {
        this.socket = socket;
        this.pipe = pipe;
    }

    /**
     * Takes ownership of a descriptor that a peer sent.
     *
     * @throws IOException if the descriptor is neither a connected stream socket nor the write end of a pipe, or if
     *     messages are queued in the socket; the descriptor is closed
     */
    public static PeerStreamWriter adopt(OwnedFd received) throws IOException {
        FileStatus status;
        try {
            status = FileStatus.of(received);
            if (status.isPipe() && received.accessMode() == OwnedFd.O_RDONLY) {
                throw new IOException("expected the write end of a pipe, got the read end");
            }
            boolean isStream = status.isPipe() || (status.isSocket() && UnixStreamSocket.isConnectedStream(received));
            if (!isStream) {
                throw new IOException(
                        "expected a connected stream socket or the write end of a pipe, got " + status.describeType());
            }
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
        return status.isPipe()
                ? new PeerStreamWriter(null, PeerPipeEnd.adopt(received))
                : new PeerStreamWriter(openSocket(received), null);
    }

    private static UnixStreamSocket openSocket(OwnedFd received) throws IOException {
        UnixStreamSocket socket = new UnixStreamSocket(received);
        if (UnixStreamSocket.isUnixStream(received)) {
            UnixStreamSocket.shutDownReception(received);
            try (Arena arena = Arena.ofConfined()) {
                if (socket.peekBytes(arena.allocate(1)) > 0) {
                    socket.close();
                    throw new IOException("expected a socket without messages in it");
                }
            }
        }
        return socket;
    }

    /**
     * Sends bytes.
     *
     * @param source at most {@link PeerPipeEnd#CAPACITY} bytes
     * @return the number of bytes sent, {@link #WOULD_BLOCK}, or another negated errno
     */
    public int send(MemorySegment source) {
        return socket == null ? pipe.send(source) : socket.send(source);
    }

    /** Runs an action that calls {@link #send} in the peer's executor. */
    public void execute(Runnable calls) {
        if (socket == null) {
            pipe.execute(calls);
        } else {
            socket.fd().execute(calls);
        }
    }

    /** Closes the stream after all actions that were passed to {@link #execute} before. */
    @Override
    public void close() {
        if (socket == null) {
            pipe.close();
        } else {
            execute(socket::close);
        }
    }
}
