package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;

/**
 * A connected Unix socket that carries bytes and descriptors both ways and knows nothing of messages. One thread may
 * receive while another sends; {@link #shutdown} may be called by any.
 */
public final class FdPassingSocket implements AutoCloseable {
    /** Most bytes that {@link #receive} returns at once. */
    public static final int MAX_RECEIVE_BYTES = 1 << 16;

    private final UnixSocketChannel channel;
    private final Pointer pollFd;
    private final FrontendMsghdr incoming = new FrontendMsghdr(MAX_RECEIVE_BYTES);
    private final FrontendMsghdr outgoing = new FrontendMsghdr(MAX_RECEIVE_BYTES);

    private FdPassingSocket(UnixSocketChannel channel) {
        this.channel = channel;
        this.pollFd = FrontendLibc.allocatePollFd(channel.getFD());
    }

    /** A connection that was made already; it is owned from now on. */
    public static FdPassingSocket wrap(UnixSocketChannel channel) {
        return new FdPassingSocket(channel);
    }

    /**
     * Connects to a socket.
     *
     * @throws IOException when nobody listens there
     */
    public static FdPassingSocket connect(Path path) throws IOException {
        try {
            return new FdPassingSocket(UnixSocketChannel.open(new UnixSocketAddress(path.toFile())));
        } catch (IOException refused) {
            throw new IOException("cannot connect to " + path + ": " + refused.getMessage(), refused);
        }
    }

    /** Whether {@link #receive} would return at once. */
    public boolean isReadable() throws IOException {
        return FrontendLibc.awaitReadable(pollFd, 0);
    }

    /**
     * Waits for bytes. Descriptors come with the first byte they were sent with only if that byte is the first of a
     * call: a stream that has messages in it is to be received message by message.
     *
     * @param most bytes, 1 to {@link #MAX_RECEIVE_BYTES}
     */
    public RecvmsgResult receive(int most) throws IOException {
        while (true) {
            incoming.prepareToReceive(most);
            long received =
                    FrontendLibc.calls().recvmsg(channel.getFD(), incoming.pointer(), FrontendLibc.MSG_CMSG_CLOEXEC);
            if (received >= 0) {
                return received((int) received);
            }
            Errno error = FrontendLibc.errno();
            if (error == Errno.ECONNRESET) {
                // Closed with bytes of ours unread: an end like any other.
                return RecvmsgResult.END;
            }
            if (error != Errno.EINTR) {
                throw new IOException("recvmsg: " + error);
            }
        }
    }

    private RecvmsgResult received(int length) {
        List<ReceivedFileDescriptor> descriptors = IntStream.of(incoming.receivedFds())
                .mapToObj(ReceivedFileDescriptor::new)
                .toList();
        return new RecvmsgResult(incoming.receivedBytes(length), descriptors, incoming.controlTruncated());
    }

    /** Sends all bytes, at least one; the descriptors, which stay the caller's, go with the first of them. */
    public void send(byte[] bytes, int... fds) throws IOException {
        int sent = sendSome(bytes, 0, fds);
        while (sent < bytes.length) {
            sent += sendSome(bytes, sent);
        }
    }

    private int sendSome(byte[] bytes, int offset, int... fds) throws IOException {
        int length = Math.min(bytes.length - offset, MAX_RECEIVE_BYTES);
        while (true) {
            outgoing.prepareToSend(bytes, offset, length, fds);
            long sent = FrontendLibc.calls().sendmsg(channel.getFD(), outgoing.pointer(), FrontendLibc.MSG_NOSIGNAL);
            if (sent >= 0) {
                return (int) sent;
            }
            if (FrontendLibc.errno() != Errno.EINTR) {
                throw new IOException("sendmsg: " + FrontendLibc.errno());
            }
        }
    }

    /** Ends the connection both ways; a thread that waits in {@link #receive} finds its end. */
    public void shutdown() {
        // It fails when the other side was faster, which is as good.
        FrontendLibc.calls().shutdown(channel.getFD(), FrontendLibc.SHUT_RDWR);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
