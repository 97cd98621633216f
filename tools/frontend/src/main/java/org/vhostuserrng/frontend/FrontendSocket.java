package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jnr.constants.platform.Errno;
import jnr.enxio.channels.NativeException;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixSocketChannel;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.libc.NativePath;

/**
 * The front-end's end of a vhost-user connection. Sends messages with file descriptors; does not check the messages, so
 * that tests can send malformed ones. Checks the headers of replies.
 */
public final class FrontendSocket implements AutoCloseable {
    private static final long MAX_REPLY_PAYLOAD = 4096;

    private final UnixSocketChannel channel;
    private final Pointer pollFd;

    private FrontendSocket(UnixSocketChannel channel) {
        this.channel = channel;
        this.pollFd = FrontendLibc.allocatePollFd(channel.getFD());
    }

    /**
     * Connects to the socket of a listening back-end.
     *
     * @throws IOException if no process listens at the path
     */
    public static FrontendSocket connect(Path path) throws IOException {
        try {
            return new FrontendSocket(FrontendSocketAddress.connect(path));
        } catch (IOException refused) {
            throw new IOException("cannot connect to " + NativePath.text(path) + ": " + refused.getMessage(), refused);
        }
    }

    /** Takes ownership of a connected channel, for example one end of a socket pair. */
    public static FrontendSocket wrap(UnixSocketChannel channel) {
        return new FrontendSocket(channel);
    }

    /** The socket's file descriptor. This object remains its owner. */
    public int fd() {
        return channel.getFD();
    }

    /**
     * Sends one message.
     *
     * @param request message id, see {@link FrontendMessageType#id}
     * @param flags bits of the flags field in addition to the version
     * @param fds file descriptors, sent with the first byte of the header
     */
    public void send(int request, int flags, byte[] payload, int... fds) throws IOException {
        sendRaw(FrontendPayloadEncoder.message(request, FrontendVhostUserConstants.FLAG_VERSION | flags, payload), fds);
    }

    /**
     * Sends raw bytes, with one sendmsg(2) if they fit in the socket buffer. The file descriptors are sent with the
     * first byte.
     */
    public void sendRaw(byte[] bytes, int... fds) throws IOException {
        sendRaw(new FrontendMsghdr(bytes.length), bytes, fds);
    }

    /** Like {@link #sendRaw(byte[], int...)}, with a header that has room for the bytes. */
    void sendRaw(FrontendMsghdr message, byte[] bytes, int... fds) throws IOException {
        int sent = sendMessage(message, bytes, 0, fds);
        while (sent < bytes.length) {
            sent += sendMessage(message, bytes, sent);
        }
    }

    /** Sends a short message without blocking. Returns false, and sends nothing, if the socket buffer is full. */
    public boolean trySend(byte[] bytes) throws IOException {
        FrontendMsghdr header = new FrontendMsghdr(bytes.length);
        header.prepareToSend(bytes, 0, bytes.length);
        long sent = FrontendLibc.calls()
                .sendmsg(channel.getFD(), header.pointer(), FrontendLibc.MSG_NOSIGNAL | FrontendLibc.MSG_DONTWAIT);
        if (sent < 0 && FrontendLibc.errno() != Errno.EAGAIN) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.CLOSED, "sendmsg: " + FrontendLibc.errno());
        }
        return sent == bytes.length;
    }

    private int sendMessage(FrontendMsghdr message, byte[] bytes, int offset, int... fds) throws IOException {
        message.prepareToSend(bytes, offset, bytes.length - offset, fds);
        long sent = FrontendLibc.calls().sendmsg(channel.getFD(), message.pointer(), FrontendLibc.MSG_NOSIGNAL);
        if (sent < 0) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.CLOSED, "sendmsg: " + FrontendLibc.errno());
        }
        return (int) sent;
    }

    /**
     * Receives the reply to {@code request}.
     *
     * @throws BackendProtocolException if the back-end disconnects, does not reply in time or sends an invalid reply
     */
    public BackendReply receive(int request, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        byte[] header = receiveBytes(FrontendVhostUserConstants.HEADER_SIZE, request, deadline);
        return receivePayload(request, header, List.of(), deadline);
    }

    /** Like {@link #receive}, but also receives file descriptors. The caller must close them. */
    public BackendReply receiveWithDescriptors(int request, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        if (!awaitReadable(deadline)) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.TIMEOUT, "no reply to request " + request + " in time");
        }
        // The header is received with a single call: the kernel delivers the descriptors with the first byte only.
        RecvmsgResult received = FdPassingSocket.wrap(channel).receive(FrontendVhostUserConstants.HEADER_SIZE);
        if (received.bytes().length < FrontendVhostUserConstants.HEADER_SIZE) {
            received.descriptors().forEach(ReceivedFileDescriptor::close);
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.CLOSED,
                    "the back-end closed the connection before it replied to request " + request);
        }
        return receivePayload(request, received.bytes(), received.descriptors(), deadline);
    }

    private BackendReply receivePayload(
            int request, byte[] headerBytes, List<ReceivedFileDescriptor> descriptors, long deadline)
            throws IOException {
        Bytes<byte[]> header = Bytes.wrapForRead(headerBytes);
        int answered = header.readInt();
        int flags = header.readInt();
        long size = header.readUnsignedInt();
        if (answered != request
                || flags != (FrontendVhostUserConstants.FLAG_VERSION | FrontendVhostUserConstants.FLAG_REPLY)
                || size > MAX_REPLY_PAYLOAD) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "invalid reply to request " + request + ": request=" + answered + " flags=0x"
                            + Integer.toHexString(flags) + " size=" + size);
        }
        return new BackendReply(answered, receiveBytes((int) size, request, deadline), descriptors);
    }

    /**
     * Receives bytes of a reply to {@code request}.
     *
     * @throws BackendProtocolException if the server disconnects, or does not reply in time
     */
    byte[] receiveBytes(int count, int request, Duration timeout) throws IOException {
        return receiveBytes(count, request, System.nanoTime() + timeout.toNanos());
    }

    private byte[] receiveBytes(int count, int request, long deadline) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (!awaitReadable(deadline)) {
                throw new BackendProtocolException(
                        BackendProtocolException.Reason.TIMEOUT, "no reply to request " + request + " in time");
            }
            if (readOrEnd(buffer) < 0) {
                throw new BackendProtocolException(
                        BackendProtocolException.Reason.CLOSED,
                        "the back-end closed the connection before it replied to request " + request);
            }
        }
        return buffer.array();
    }

    /** Waits for bytes or the end of the connection; returns false if the timeout expires. */
    public boolean awaitReadable(Duration timeout) throws IOException {
        return awaitReadable(System.nanoTime() + timeout.toNanos());
    }

    private boolean awaitReadable(long deadline) throws IOException {
        long millis = Math.ceilDiv(deadline - System.nanoTime(), 1_000_000L);
        return FrontendLibc.awaitReadable(pollFd, millis);
    }

    /** Waits until the back-end closes the connection, and discards its bytes; returns false if the timeout expires. */
    public boolean awaitClosed(Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        ByteBuffer unwanted = ByteBuffer.allocate(64);
        while (awaitReadable(deadline)) {
            if (readOrEnd(unwanted.clear()) < 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Reads from the socket. Treats ECONNRESET as a normal end of the stream: the peer closed the connection without
     * reading all bytes sent to it.
     */
    private int readOrEnd(ByteBuffer buffer) throws IOException {
        try {
            return channel.read(buffer);
        } catch (NativeException reset) {
            if (reset.getErrno() == Errno.ECONNRESET) {
                return -1;
            }
            throw reset;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
