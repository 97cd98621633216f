package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixSocketChannel;
import net.openhft.chronicle.bytes.Bytes;

/**
 * The back-end channel (vhost-user, "Back-end communication"): a socket pair. One end is passed to the back-end, which
 * sends requests through it. Accepts only VHOST_USER_BACKEND_IOTLB_MSG, the only request that an entropy device sends.
 */
public final class BackendRequestReceiver implements AutoCloseable {
    private static final int BACKEND_IOTLB_MSG = 1;
    private static final long MAX_PAYLOAD = 4096;

    private final UnixSocketChannel frontendEnd;
    private final UnixSocketChannel backendEnd;
    private final Pointer pollFd;

    /**
     * Creates the socket pair.
     *
     * @throws IOException if the process has no file descriptors left
     */
    public BackendRequestReceiver() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        frontendEnd = pair[0];
        backendEnd = pair[1];
        pollFd = FrontendLibc.allocatePollFd(frontendEnd.getFD());
    }

    /** The descriptor to pass with SET_BACKEND_REQ_FD. This object remains its owner. */
    public int backendFd() {
        return backendEnd.getFD();
    }

    /**
     * Returns the next request of the back-end; empty if none arrives within the timeout.
     *
     * @throws BackendProtocolException if the request is not an IOTLB message, or if it has the need_reply flag
     */
    public Optional<FrontendIotlbMessage> await(Duration timeout) throws IOException {
        if (!FrontendLibc.awaitReadable(pollFd, timeout.toMillis())) {
            return Optional.empty();
        }
        Bytes<byte[]> header = Bytes.wrapForRead(read(FrontendVhostUserConstants.HEADER_SIZE));
        int request = header.readInt();
        int flags = header.readInt();
        long size = header.readUnsignedInt();
        if (request != BACKEND_IOTLB_MSG || flags != FrontendVhostUserConstants.FLAG_VERSION || size > MAX_PAYLOAD) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "unexpected back-end request " + request + " flags=0x" + Integer.toHexString(flags) + " size="
                            + size);
        }
        return Optional.of(FrontendIotlbMessage.decode(read((int) size)));
    }

    private byte[] read(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (frontendEnd.read(buffer) < 0) {
                throw new BackendProtocolException(
                        BackendProtocolException.Reason.CLOSED, "the back-end closed its request channel");
            }
        }
        return buffer.array();
    }

    /** Sends file descriptors to the back-end's end of the socket pair. The back-end does not read them. */
    public void sendUnreadFds(int... fds) throws IOException {
        FrontendSocket.wrap(frontendEnd).sendRaw(new byte[1], fds);
    }

    /** Closes the front-end's end of the socket pair only. */
    public void closeFrontendEnd() throws IOException {
        frontendEnd.close();
    }

    @Override
    public void close() throws IOException {
        try (backendEnd) {
            frontendEnd.close();
        }
    }
}
