package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixSocketChannel;
import net.openhft.chronicle.bytes.Bytes;

/**
 * The channel for the back-end's own requests ("Back-end communication"): a pair of sockets, one of them for the
 * back-end. Of the requests an entropy device sends only VHOST_USER_BACKEND_IOTLB_MSG.
 */
public final class BackendRequestReceiver implements AutoCloseable {
    private static final int BACKEND_IOTLB_MSG = 1;
    private static final long MAX_PAYLOAD = 4096;

    private final UnixSocketChannel frontendEnd;
    private final UnixSocketChannel backendEnd;
    private final Pointer pollFd;

    /**
     * A channel that no back-end knows yet.
     *
     * @throws IOException when the process has no file descriptors left
     */
    public BackendRequestReceiver() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        frontendEnd = pair[0];
        backendEnd = pair[1];
        pollFd = FrontendLibc.allocatePollFd(frontendEnd.getFD());
    }

    /** What SET_BACKEND_REQ_FD sends; owned by this object. */
    public int backendFd() {
        return backendEnd.getFD();
    }

    /**
     * The next request; empty when none comes within the time.
     *
     * @throws BackendProtocolException when it is something else than an IOTLB message without need_reply
     */
    public Optional<FrontendIotlbMessage> await(Duration timeout) throws IOException {
        if (!FrontendLibc.awaitReadable(pollFd, timeout.toMillis())) {
            return Optional.empty();
        }
        Bytes<byte[]> header = Bytes.wrapForRead(read(FrontendVhostUserSpec.HEADER_SIZE));
        int request = header.readInt();
        int flags = header.readInt();
        long size = header.readUnsignedInt();
        if (request != BACKEND_IOTLB_MSG
                || flags != FrontendVhostUserSpec.FLAG_VERSION
                || size > MAX_PAYLOAD) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "the back-end requests " + request + " flags=0x" + Integer.toHexString(flags) + " size=" + size);
        }
        return Optional.of(FrontendIotlbMessage.decode(read((int) size)));
    }

    private byte[] read(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (frontendEnd.read(buffer) < 0) {
                throw new BackendProtocolException(
                        BackendProtocolException.Reason.CLOSED, "the back-end closed its channel");
            }
        }
        return buffer.array();
    }

    /** Leaves descriptors in the back-end's end, which no back-end reads. */
    public void sendUnreadFds(int... fds) throws IOException {
        FrontendSocket.wrap(frontendEnd).sendRaw(new byte[1], fds);
    }

    /** Closes the front-end's end. */
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
