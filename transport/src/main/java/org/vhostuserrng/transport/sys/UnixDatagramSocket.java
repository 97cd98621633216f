package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** A UNIX datagram socket that sends to one address and never blocks. Confined to one thread at a time. */
public final class UnixDatagramSocket implements AutoCloseable {
    private static final MemorySegment SOCKET = Libc.symbol("socket");
    private static final MemorySegment SENDTO = Libc.symbol("sendto");
    private static final MemorySegment SENDMSG = Libc.symbol("sendmsg");
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;

    private final OwnedFd fd;
    private final Arena arena;
    private final MemorySegment address;

    private UnixDatagramSocket(OwnedFd fd, Arena arena, MemorySegment address) {
        this.fd = fd;
        this.arena = arena;
        this.address = address;
    }

    /**
     * Opens a socket that sends to an address. The receiver need not exist yet.
     *
     * @param address the absolute path of a socket, or {@code @} and its abstract name
     * @throws IllegalArgumentException if the address has another form or is too long
     */
    public static UnixDatagramSocket to(String address) throws ErrnoException {
        Arena arena = Arena.ofConfined();
        try {
            MemorySegment receiver = UnixSocketAddress.of(address, arena);
            int number = Libc.callInt(SOCKET, UnixSocketAddress.AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
            return new UnixDatagramSocket(new OwnedFd(ErrnoException.check("socket", number)), arena, receiver);
        } catch (ErrnoException | RuntimeException refused) {
            arena.close();
            throw refused;
        }
    }

    /**
     * Sends one datagram.
     *
     * @throws ErrnoException if the datagram cannot be sent, with EAGAIN if the queue of the receiver is full
     */
    public void send(byte[] datagram) throws ErrnoException {
        try (Arena scope = Arena.ofConfined()) {
            MemorySegment bytes = scope.allocateFrom(ValueLayout.JAVA_BYTE, datagram);
            long sent = Libc.callLong(
                    SENDTO,
                    fd.number(),
                    bytes.address(),
                    bytes.byteSize(),
                    MSG_DONTWAIT | MSG_NOSIGNAL,
                    address.address(),
                    address.byteSize());
            ErrnoException.check("sendto", (int) sent);
        }
    }

    /** Like {@link #send(byte[])}, with a descriptor. The caller remains the owner of the descriptor. */
    public void send(byte[] datagram, OwnedFd passed) throws ErrnoException {
        try (Arena scope = Arena.ofConfined()) {
            MemorySegment bytes = scope.allocateFrom(ValueLayout.JAVA_BYTE, datagram);
            SocketMessageHeader message = SocketMessageHeader.toSend(bytes, passed, address);
            long sent = Libc.callLong(SENDMSG, fd.number(), message.address(), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
            ErrnoException.check("sendmsg", (int) sent);
        }
    }

    @Override
    public void close() {
        fd.close();
        arena.close();
    }
}
