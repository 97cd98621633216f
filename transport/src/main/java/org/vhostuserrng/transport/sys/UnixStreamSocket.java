package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A non-blocking, connected UNIX stream socket that can pass descriptors (SCM_RIGHTS). Confined to the thread that
 * created it.
 */
public final class UnixStreamSocket implements AutoCloseable {
    /** Returned by {@link #receive} and {@link #send} if the call would block. */
    public static final int WOULD_BLOCK = -Errno.EAGAIN;

    private static final MemorySegment RECVMSG = Libc.symbol("recvmsg");
    private static final MemorySegment SENDMSG = Libc.symbol("sendmsg");
    private static final MemorySegment CONNECT = Libc.symbol("connect");
    private static final MemorySegment IOCTL = Libc.symbol("ioctl");
    private static final int SIOCOUTQ = 0x5411;
    private static final MemorySegment RECV = Libc.symbol("recv");
    private static final MemorySegment SEND = Libc.symbol("send");
    private static final MemorySegment GETSOCKOPT = Libc.symbol("getsockopt");
    private static final MemorySegment GETPEERNAME = Libc.symbol("getpeername");
    private static final MemorySegment GETSOCKNAME = Libc.symbol("getsockname");
    private static final MemorySegment GETPID = Libc.symbol("getpid");
    private static final MemorySegment SETSOCKOPT = Libc.symbol("setsockopt");
    private static final MemorySegment SHUTDOWN = Libc.symbol("shutdown");
    private static final MemorySegment POLL = Libc.symbol("poll");
    private static final int MSG_PEEK = 0x2;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
    private static final int SHUT_RD = 0;
    private static final int SHUT_RDWR = 2;
    private static final int SOL_SOCKET = 1;
    private static final int SO_TYPE = 3;
    private static final int SO_SNDBUF = 7;
    private static final int SO_OOBINLINE = 10;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_DOMAIN = 39;
    private static final int SO_PEEK_OFF = 42;
    private static final int SOCK_STREAM = 1;

    // struct pollfd { int fd; short events; short revents; };
    private static final long POLLFD_EVENTS = 4;
    private static final long POLLFD_REVENTS = 6;
    private static final long POLLFD_BYTES = 8;
    private static final short POLLHUP = 0x10;
    private static final short POLLRDHUP = 0x2000;

    private final OwnedFd fd;
    /** Whether the end of the stream has been received, so that the socket contains no more descriptors. */
    private boolean ended;

    UnixStreamSocket(OwnedFd fd) {
        this.fd = fd;
        receiveOutOfBandInline();
    }

    /**
     * Makes the kernel deliver out-of-band bytes inline. Otherwise such a byte, and its descriptors, would remain in
     * the socket.
     */
    private void receiveOutOfBandInline() {
        // The call fails only on kernels that do not support out-of-band data on UNIX sockets.
        int ignored = setOption(fd, SO_OOBINLINE, 1);
        assert ignored <= 0;
    }

    /**
     * Connects to the socket at {@code path}. Returns null if no process listens there, or if its backlog is full.
     *
     * @param closer closes the descriptors that the peer sends
     */
    public static UnixStreamSocket connect(Path path, PeerFileExecutor closer) throws ErrnoException {
        OwnedFd fd = UnixListeningSocket.newSocket(closer);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixSocketAddress.of(path, arena);
            int result = Libc.callInt(CONNECT, fd.number(), address.address(), address.byteSize(), 0, 0);
            if (result == 0) {
                return new UnixStreamSocket(fd);
            }
            fd.closeNow();
            // EAGAIN: the listener's backlog is full.
            if (result == -Errno.ENOENT || result == -Errno.ECONNREFUSED || result == -Errno.EAGAIN) {
                return null;
            }
            throw new ErrnoException("connect " + NativePath.text(path), -result);
        }
    }

    /** Takes ownership of an inherited connected socket. */
    public static UnixStreamSocket adopt(OwnedFd inherited) throws ErrnoException {
        inherited.setNonBlocking();
        return new UnixStreamSocket(inherited);
    }

    /** Returns whether a descriptor is a connected UNIX stream socket. */
    public static boolean isConnected(OwnedFd fd) {
        return isUnixStream(fd) && hasPeer(fd);
    }

    /** Returns whether a descriptor is a connected UNIX socket of any type. */
    static boolean isConnectedUnixSocket(OwnedFd fd) {
        return option(fd, SO_DOMAIN) == UnixSocketAddress.AF_UNIX && hasPeer(fd);
    }

    /** Returns whether a descriptor is a connected stream socket of any domain. */
    static boolean isConnectedStream(OwnedFd fd) {
        return option(fd, SO_TYPE) == SOCK_STREAM && hasPeer(fd);
    }

    static boolean isUnixStream(OwnedFd fd) {
        return option(fd, SO_DOMAIN) == UnixSocketAddress.AF_UNIX && option(fd, SO_TYPE) == SOCK_STREAM;
    }

    /** Returns the value of a socket option, or a negated errno. */
    static int option(OwnedFd fd, int name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
            int result = Libc.callInt(GETSOCKOPT, fd.number(), SOL_SOCKET, name, value.address(), length.address());
            return result < 0 ? result : value.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** Sets a socket option. Returns 0 or a negated errno. */
    private static int setOption(OwnedFd fd, int name, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_INT, value);
            return Libc.callInt(SETSOCKOPT, fd.number(), SOL_SOCKET, name, bytes.address(), bytes.byteSize());
        }
    }

    private static boolean hasPeer(OwnedFd fd) {
        try (Arena arena = Arena.ofConfined()) {
            // With length 0 the kernel does not copy the name, which is not needed.
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 0);
            return Libc.callInt(GETPEERNAME, fd.number(), length.address(), length.address(), 0, 0) == 0;
        }
    }

    /**
     * Receives bytes and descriptors.
     *
     * @param fds the received descriptors are added to this list, also if the call fails
     * @return the number of bytes, 0 at the end of the stream, {@link #WOULD_BLOCK}, or another negated errno: −EINVAL
     *     if the kernel dropped descriptors, −ELOOP if a descriptor is the other end of a connection to this process
     */
    public int receive(MemorySegment target, List<OwnedFd> fds) {
        return receive(SocketMessageHeader.toReceive(target), 0, fds);
    }

    /** Like {@link #receive(MemorySegment, List)}, into a range of {@code target}. Does not allocate without fds. */
    public int receive(MemorySegment target, long offset, long length, List<OwnedFd> fds) {
        return receive(SocketMessageHeader.toReceive(target, offset, length), 0, fds);
    }

    /**
     * Like {@link #receive}, but leaves the bytes and descriptors in the socket, and advances the offset of
     * {@link #setPeekOffset}. Does not receive descriptors that were sent with bytes beyond {@code target}.
     *
     * @return as {@link #receive}, or −EFAULT if the peer sent the last byte of {@code target} and the next byte with
     *     one call
     */
    public int peek(MemorySegment target, List<OwnedFd> fds) {
        return receive(SocketMessageHeader.toReceiveUpToPiece(target), MSG_PEEK, fds);
    }

    /** Like {@link #receive}, but leaves the bytes in the socket, and does not receive descriptors. */
    public int peekBytes(MemorySegment target) {
        return (int)
                Libc.callLong(RECV, fd.number(), target.address(), target.byteSize(), MSG_PEEK | MSG_DONTWAIT, 0, 0);
    }

    /** Receives bytes and drops their descriptors, duplicates of which earlier calls of {@link #peek} have returned. */
    public int discard(MemorySegment scratch) {
        return (int) Libc.callLong(RECV, fd.number(), scratch.address(), scratch.byteSize(), MSG_DONTWAIT, 0, 0);
    }

    /**
     * Sets the offset at which {@link #peek} begins (SO_PEEK_OFF); a negative one makes it begin at the first byte. The
     * kernel stores the offset in the socket, even after this process ends. Received bytes reduce the offset, but not
     * below 0.
     */
    public void setPeekOffset(int offset) throws ErrnoException {
        setPeekOffset(fd, offset);
    }

    /** Like {@link #setPeekOffset(int)}, for a UNIX socket of any type. */
    static void setPeekOffset(OwnedFd fd, int offset) throws ErrnoException {
        ErrnoException.check("setsockopt(SO_PEEK_OFF)", setOption(fd, SO_PEEK_OFF, offset));
    }

    /** Returns the offset of {@link #setPeekOffset}, reduced by the bytes received since, or a negated errno. */
    public int peekOffset() {
        return option(fd, SO_PEEK_OFF);
    }

    private int receive(SocketMessageHeader message, int flags, List<OwnedFd> fds) {
        long received = Libc.callLong(RECVMSG, fd.number(), message.address(), flags | MSG_CMSG_CLOEXEC, 0, 0, 0);
        if (received < 0) {
            return (int) received;
        }
        ended = received == 0;
        boolean loop = false;
        for (int i = 0; i < message.descriptors(); i++) {
            OwnedFd descriptor = fd.received(message.descriptor(i));
            fds.add(descriptor);
            loop |= isConnectedToThisProcess(descriptor);
        }
        if (loop) {
            return -Errno.ELOOP;
        }
        return message.isTruncated() ? -Errno.EINVAL : (int) received;
    }

    /**
     * Sends bytes. Never blocks, even if the peer has cleared O_NONBLOCK on a socket that it shares.
     *
     * @return the number of bytes sent, {@link #WOULD_BLOCK}, or another negated errno
     */
    public int send(MemorySegment source) {
        return (int) Libc.callLong(
                SEND, fd.number(), source.address(), source.byteSize(), MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
    }

    /**
     * Sends bytes and, with the first byte, a descriptor. The caller remains the owner of the descriptor. Returns the
     * same values as {@link #send(MemorySegment)}.
     */
    public int send(MemorySegment source, OwnedFd passed) {
        SocketMessageHeader message = SocketMessageHeader.toSend(source, passed);
        return (int) Libc.callLong(SENDMSG, fd.number(), message.address(), MSG_NOSIGNAL, 0, 0, 0);
    }

    /**
     * Limits the kernel memory for bytes that the peer has not received (SO_SNDBUF), which includes the kernel's
     * overhead.
     */
    public void limitSendBuffer(int bytes) throws ErrnoException {
        ErrnoException.check("setsockopt(SO_SNDBUF)", setOption(fd, SO_SNDBUF, bytes));
    }

    /**
     * Sets the send buffer of a UNIX socket of any type, beyond net.core.wmem_max if this process may.
     *
     * @param bytes half of the size, as in SO_SNDBUF
     * @return the whole size in bytes, or a negated errno
     */
    static int enlargeSendBuffer(OwnedFd fd, int bytes) {
        // SO_SNDBUFFORCE requires CAP_NET_ADMIN.
        if (setOption(fd, SO_SNDBUFFORCE, bytes) < 0) {
            int ignored = setOption(fd, SO_SNDBUF, bytes);
            assert ignored <= 0;
        }
        return option(fd, SO_SNDBUF);
    }

    /** Returns whether the peer has not received all sent bytes yet. */
    public boolean hasUnreceived() {
        return unreceived() > 0;
    }

    /**
     * Returns the size of the kernel memory for bytes that the peer has not received yet; 0 if it has received all of
     * them.
     */
    public int unreceived() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ValueLayout.JAVA_INT);
            int result = Libc.callInt(IOCTL, fd.number(), SIOCOUTQ, bytes.address(), 0, 0);
            return result == 0 ? bytes.get(ValueLayout.JAVA_INT, 0) : 0;
        }
    }

    /**
     * Shuts down reception on a connected UNIX socket of any type that a peer sent, and to which this process only
     * writes. Otherwise descriptors that the peer sends over it, such as its end of its own session, would stay open in
     * the queue, because nobody reads them.
     */
    static void shutDownReception(OwnedFd fd) {
        int ignored = Libc.callInt(SHUTDOWN, fd.number(), SHUT_RD, 0, 0, 0);
        assert ignored <= 0;
    }

    /** Returns whether the peer has closed its end. Bytes that the peer sent before may still be unread. */
    public boolean isPeerGone() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(POLLFD_BYTES, Integer.BYTES);
            poll.set(ValueLayout.JAVA_INT, 0, fd.number());
            poll.set(ValueLayout.JAVA_SHORT, POLLFD_EVENTS, POLLRDHUP);
            int ready = Libc.callInt(POLL, poll.address(), 1, 0, 0, 0);
            return ready > 0 && (poll.get(ValueLayout.JAVA_SHORT, POLLFD_REVENTS) & (POLLHUP | POLLRDHUP)) != 0;
        }
    }

    /**
     * Describes, for log lines, the pid and uid of the process that connected or created the socket pair. The pid is 0
     * for a process that is not visible in this pid namespace.
     */
    public String describePeer() {
        PeerCredentials peer = peer();
        return peer == null ? "unknown process" : "pid " + peer.pid() + ", uid " + Integer.toUnsignedString(peer.uid());
    }

    /**
     * Returns the credentials of the process that connected or created the socket pair; null if getsockopt(2) fails.
     */
    public PeerCredentials peer() {
        return PeerCredentials.of(fd.number());
    }

    /**
     * Returns the path of this end; null if it has none. The end that was accepted has that of the listening socket.
     */
    public String boundPath() {
        return UnixSocketAddress.boundPath(fd);
    }

    /** The descriptor, to watch with {@link Epoll}. This object remains the owner. */
    public OwnedFd fd() {
        return fd;
    }

    /**
     * Closes the socket. The peer receives the end of the stream immediately, even if closing the descriptors in the
     * socket takes time.
     */
    @Override
    public void close() {
        if (ended) {
            fd.closeNow();
        } else {
            int ignored = Libc.callInt(SHUTDOWN, fd.number(), SHUT_RDWR, 0, 0, 0);
            assert ignored <= 0;
            fd.close();
        }
    }

    /**
     * Returns whether a descriptor is the front-end's end of a connection to this process. While this process has such
     * a descriptor open, it cannot notice that the front-end has disconnected.
     */
    private static boolean isConnectedToThisProcess(OwnedFd fd) {
        PeerCredentials peer = PeerCredentials.of(fd.number());
        boolean isOurs = peer != null && peer.pid() == Libc.callInt(GETPID, 0, 0, 0, 0, 0);
        // One end of an accepted connection has a name; the ends of a socketpair(2) have none.
        return isOurs && (hasName(GETPEERNAME, fd) || hasName(GETSOCKNAME, fd));
    }

    private static boolean hasName(MemorySegment call, OwnedFd fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 0);
            int result = Libc.callInt(call, fd.number(), length.address(), length.address(), 0, 0);
            return result == 0 && length.get(ValueLayout.JAVA_INT, 0) > UnixSocketAddress.PATH_OFFSET;
        }
    }
}
