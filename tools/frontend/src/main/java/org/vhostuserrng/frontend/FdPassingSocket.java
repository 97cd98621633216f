package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixSocketChannel;
import org.vhostuserrng.libc.NativePath;

/**
 * A connected Unix socket that transfers bytes and file descriptors in both directions, without message framing. One
 * thread may receive while another sends; any thread may call {@link #shutdown}.
 */
public final class FdPassingSocket implements AutoCloseable {
    /** Maximum number of bytes of one {@link #receive}. */
    public static final int MAX_RECEIVE_BYTES = 1 << 16;

    private final UnixSocketChannel channel;
    private final Pointer pollFd;
    private final FrontendMsghdr incoming = new FrontendMsghdr(MAX_RECEIVE_BYTES);
    private final FrontendMsghdr outgoing = new FrontendMsghdr(MAX_RECEIVE_BYTES);

    private FdPassingSocket(UnixSocketChannel channel) {
        this.channel = channel;
        this.pollFd = FrontendLibc.allocatePollFd(channel.getFD());
    }

    /** Takes ownership of a connected channel. */
    public static FdPassingSocket wrap(UnixSocketChannel channel) {
        return new FdPassingSocket(channel);
    }

    /**
     * Connects to a socket.
     *
     * @throws IOException if no process listens at the path
     */
    public static FdPassingSocket connect(Path path) throws IOException {
        try {
            return new FdPassingSocket(FrontendSocketAddress.connect(path));
        } catch (IOException refused) {
            throw new IOException("cannot connect to " + NativePath.text(path) + ": " + refused.getMessage(), refused);
        }
    }

    /** Whether {@link #receive} would return without blocking. */
    public boolean isReadable() throws IOException {
        return FrontendLibc.awaitReadable(pollFd, 0);
    }

    /**
     * Blocks until bytes arrive, and returns them. The kernel delivers file descriptors with the first byte of their
     * sendmsg(2). A caller that must know to which message they belong must therefore receive one message at a time.
     *
     * @param most maximum number of bytes, 1 to {@link #MAX_RECEIVE_BYTES}
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
                // The peer closed the connection without reading all bytes sent to it. This is a normal end of the
                // stream.
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

    /**
     * Sends all bytes.
     *
     * @param bytes at least one byte
     * @param fds file descriptors to send with the first byte; the caller remains their owner
     */
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

    /**
     * Shuts down both directions. A {@link #receive} that blocks in another thread then returns the end of the stream.
     */
    public void shutdown() {
        // Fails if the peer has already disconnected; the error can be ignored.
        FrontendLibc.calls().shutdown(channel.getFD(), FrontendLibc.SHUT_RDWR);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
