package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A non-blocking client socket of a TCP or UNIX stream connection. Confined to one thread.
 *
 * <p>A java.nio channel is not used, because the socket must receive into native memory and work with
 * {@link WakeablePoller}.
 */
public final class TcpOrUnixClientSocket implements AutoCloseable {
    /** Returned by {@link #send} and {@link #receive} if the call would block. */
    public static final int EAGAIN = EntropyFile.EAGAIN;

    private static final MemorySegment SOCKET = Libc.symbol("socket");
    private static final MemorySegment CONNECT = Libc.symbol("connect");
    private static final MemorySegment SETSOCKOPT = Libc.symbol("setsockopt");
    private static final MemorySegment GETSOCKOPT = Libc.symbol("getsockopt");
    private static final MemorySegment SEND = Libc.symbol("send");
    private static final MemorySegment RECV = Libc.symbol("recv");
    private static final MemorySegment IOCTL = Libc.symbol("ioctl");
    private static final int AF_UNIX = 1;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_STREAM_NONBLOCK_CLOEXEC = 0x80801;
    private static final int SOL_SOCKET = 1;
    private static final int SO_ERROR = 4;
    private static final int SO_KEEPALIVE = 9;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_NODELAY = 1;
    private static final int TCP_KEEPIDLE = 4;
    private static final int TCP_KEEPINTVL = 5;
    private static final int TCP_KEEPCNT = 6;
    /** tcp(7): time in milliseconds after which unacknowledged data, such as a request, ends the connection. */
    private static final int TCP_USER_TIMEOUT = 18;

    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int FIONREAD = 0x541b;
    private static final int EINTR = -4;
    private static final int EINPROGRESS = -115;
    /** Maximum length of a path in bytes: sockaddr_un has 108 bytes for the path and its terminating NUL. */
    private static final int MAX_PATH_BYTES = 107;

    private static final ValueLayout.OfShort BIG_ENDIAN_SHORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);

    private final MemorySegment scratch = Arena.ofAuto().allocate(2L * Integer.BYTES, Integer.BYTES);
    private final OwnedFd fd;

    private TcpOrUnixClientSocket(OwnedFd fd) {
        this.fd = fd;
    }

    /**
     * Starts to connect. {@link #connectError} returns the result when the socket is writable.
     *
     * @param scopeId index of the network interface of a link-local IPv6 address, or 0
     * @throws IOException if the connection fails at once, with the description of the errno
     */
    public static TcpOrUnixClientSocket connect(InetAddress host, int port, int scopeId) throws IOException {
        boolean ipv4 = host instanceof Inet4Address;
        byte[] bytes = host.getAddress();
        TcpOrUnixClientSocket socket = open(ipv4 ? AF_INET : AF_INET6);
        try (Arena arena = Arena.ofConfined()) {
            // struct sockaddr_in: u16 family, be16 port, 4 bytes address. struct sockaddr_in6: u16 family, be16 port,
            // u32 flow info, 16 bytes address, u32 scope ID.
            MemorySegment address = arena.allocate(ipv4 ? 16 : 28, Integer.BYTES);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) (ipv4 ? AF_INET : AF_INET6));
            address.set(BIG_ENDIAN_SHORT, 2, (short) port);
            MemorySegment.copy(bytes, 0, address, ValueLayout.JAVA_BYTE, ipv4 ? 4 : 8, bytes.length);
            if (!ipv4) {
                address.set(ValueLayout.JAVA_INT, 24, scopeId);
            }
            socket.set(IPPROTO_TCP, TCP_NODELAY, 1);
            socket.set(SOL_SOCKET, SO_KEEPALIVE, 1);
            socket.set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
            socket.set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
            socket.set(IPPROTO_TCP, TCP_KEEPCNT, 3);
            socket.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 60_000);
            socket.connect(address);
        }
        return socket;
    }

    /** Like {@link #connect(InetAddress, int, int)}, for a UNIX socket. */
    public static TcpOrUnixClientSocket connect(Path path) throws IOException {
        byte[] name = NativePath.bytes(path);
        if (name.length > MAX_PATH_BYTES) {
            throw new IOException("the path is longer than " + MAX_PATH_BYTES + " bytes");
        }
        TcpOrUnixClientSocket socket = open(AF_UNIX);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(2 + MAX_PATH_BYTES + 1, Short.BYTES);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, 2, name.length);
            socket.connect(address);
        }
        return socket;
    }

    private static TcpOrUnixClientSocket open(int family) throws IOException {
        int fd = Libc.callInt(SOCKET, family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0, 0, 0);
        if (fd < 0) {
            throw new IOException("socket: " + EntropyFile.describe(fd));
        }
        return new TcpOrUnixClientSocket(new OwnedFd(fd));
    }

    private void connect(MemorySegment address) throws IOException {
        int result;
        do {
            result = Libc.callInt(CONNECT, fd.numberOrClosed(), address.address(), address.byteSize(), 0, 0);
        } while (result == EINTR);
        if (result < 0 && result != EINPROGRESS) {
            close();
            throw new IOException(EntropyFile.describe(result));
        }
    }

    private void set(int level, int option, int value) {
        scratch.set(ValueLayout.JAVA_INT, 0, value);
        int result = Libc.callInt(SETSOCKOPT, fd.numberOrClosed(), level, option, scratch.address(), Integer.BYTES);
        assert result == 0 : "setsockopt " + option + ": " + EntropyFile.describe(result);
    }

    /** Returns 0 if the connection is established; otherwise a negated errno. */
    public int connectError() {
        scratch.set(ValueLayout.JAVA_INT, Integer.BYTES, Integer.BYTES);
        long length = scratch.address() + Integer.BYTES;
        int result = Libc.callInt(GETSOCKOPT, fd.numberOrClosed(), SOL_SOCKET, SO_ERROR, scratch.address(), length);
        return result < 0 ? result : -scratch.get(ValueLayout.JAVA_INT, 0);
    }

    /** Sends bytes. Returns the number of bytes sent, or a negated errno. */
    public int send(MemorySegment bytes, long offset, int length) {
        long address = bytes.asSlice(offset, length).address();
        long result;
        do {
            result = Libc.callLong(SEND, fd.numberOrClosed(), address, length, MSG_NOSIGNAL, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /** Receives bytes. Returns the number of bytes received, 0 at the end of the stream, or a negated errno. */
    public int receive(MemorySegment target, long offset, int length) {
        long address = target.asSlice(offset, length).address();
        long result;
        do {
            result = Libc.callLong(RECV, fd.numberOrClosed(), address, length, 0, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /** Returns the number of bytes that can be received now (FIONREAD); 0 if it is unknown. */
    public int availableBytes() {
        int result = Libc.callInt(IOCTL, fd.numberOrClosed(), FIONREAD, scratch.address(), 0, 0);
        return result < 0 ? 0 : scratch.get(ValueLayout.JAVA_INT, 0);
    }

    @Override
    public void close() {
        fd.close();
    }

    /** The number of the descriptor, for {@link WakeablePoller}. */
    int fd() {
        return fd.numberOrClosed();
    }
}
