package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongPredicate;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A queue of file descriptors that outlives this process: a UNIX datagram socket that is connected to itself. Each
 * datagram in its receive buffer contains one descriptor and its ID. A process that has a duplicate of the socket keeps
 * all queued descriptors open, so the service manager stores one descriptor instead of many. Confined to one thread.
 *
 * <p>A descriptor stays in the queue until {@link #compact} removes it. The kernel limits the queue by the size of the
 * send buffer: to about 5,400 descriptors with CAP_NET_ADMIN, otherwise by net.core.wmem_max, to about 540 with its
 * default of 208 KiB.
 */
public final class FdQueueSocket implements AutoCloseable {
    private static final MemorySegment BIND = Libc.symbol("bind");
    private static final MemorySegment CONNECT = Libc.symbol("connect");
    private static final MemorySegment GETSOCKNAME = Libc.symbol("getsockname");
    private static final MemorySegment SENDMSG = Libc.symbol("sendmsg");
    private static final MemorySegment RECVMSG = Libc.symbol("recvmsg");
    private static final int SOCK_DGRAM = 2;
    private static final int MSG_PEEK = 0x2;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
    private static final int NO_OFFSET = -1;
    private static final int ID_BYTES = Long.BYTES;
    /** The size of the send buffer. The kernel doubles it, and charges 768 bytes per datagram. */
    private static final int SEND_BUFFER_BYTES = 2 << 20;
    /** The part of the send buffer that only {@link #compact} uses, which adds a descriptor before it removes one. */
    private static final int RESERVED_BYTES = 8192;

    private final OwnedFd socket;
    private final PeerFileExecutor closer;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment id = arena.allocate(ID_BYTES, ID_BYTES);
    private int size;
    /** The send buffer without {@link #RESERVED_BYTES}, in bytes as the kernel counts them. */
    private int sendBuffer;

    private FdQueueSocket(OwnedFd socket, PeerFileExecutor closer) {
        this.socket = socket;
        this.closer = closer;
    }

    /**
     * Creates an empty queue.
     *
     * @param closer closes the queue and its descriptors, which peers sent
     */
    public static FdQueueSocket create(PeerFileExecutor closer) throws ErrnoException {
        FdQueueSocket queue = new FdQueueSocket(UnixListeningSocket.newSocket(SOCK_DGRAM, closer), closer);
        try {
            queue.connectToItself();
            queue.enlargeSendBuffer();
            return queue;
        } catch (ErrnoException refused) {
            queue.close();
            throw refused;
        }
    }

    /**
     * Opens a queue that another process created.
     *
     * @param socket the number of the socket's descriptor; this object takes ownership
     * @param closer closes the queue and its descriptors, which peers sent
     */
    public static FdQueueSocket adopt(int socket, PeerFileExecutor closer) {
        FdQueueSocket queue = new FdQueueSocket(new OwnedFd(socket, closer), closer);
        queue.enlargeSendBuffer();
        return queue;
    }

    private void enlargeSendBuffer() {
        sendBuffer = UnixStreamSocket.enlargeSendBuffer(socket, SEND_BUFFER_BYTES) - RESERVED_BYTES;
        UnixStreamSocket.enlargeSendBuffer(socket, sendBuffer / 2);
    }

    private void connectToItself() throws ErrnoException {
        try (Arena scope = Arena.ofConfined()) {
            int capacity = UnixSocketAddress.PATH_OFFSET + UnixSocketAddress.MAX_PATH_BYTES;
            MemorySegment name = scope.allocate(capacity, Long.BYTES);
            MemorySegment length = scope.allocateFrom(ValueLayout.JAVA_INT, capacity);
            name.set(ValueLayout.JAVA_SHORT, 0, (short) UnixSocketAddress.AF_UNIX);
            // unix(7), "Autobind feature": with an empty name, the kernel chooses an abstract one.
            check("bind", BIND, name.address(), UnixSocketAddress.PATH_OFFSET);
            check("getsockname", GETSOCKNAME, name.address(), length.address());
            check("connect", CONNECT, name.address(), length.get(ValueLayout.JAVA_INT, 0));
        }
        // The kernel accepts only datagrams of this socket from now on. Discards those that others sent before.
        while (receive(0) != null) {
            size = 0;
        }
    }

    private void check(String call, MemorySegment function, long second, long third) throws ErrnoException {
        ErrnoException.check(call, Libc.callInt(function, socket.number(), second, third, 0, 0));
    }

    /**
     * Adds a duplicate of a descriptor. The caller remains the owner of the descriptor.
     *
     * @param newId the ID of the descriptor
     *
     * @throws ErrnoException if the queue is full (EAGAIN), or if the kernel refuses to queue this descriptor
     */
    public void add(long newId, OwnedFd fd) throws ErrnoException {
        id.set(ValueLayout.JAVA_LONG, 0, newId);
        SocketMessageHeader message = SocketMessageHeader.toSend(id, fd);
        long sent = Libc.callLong(SENDMSG, socket.number(), message.address(), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
        ErrnoException.check("sendmsg", (int) sent);
        size++;
    }

    /**
     * Returns duplicates of all queued descriptors by ID. The caller owns the duplicates. Does not change the queue.
     */
    public Map<Long, OwnedFd> duplicates() throws ErrnoException {
        Map<Long, OwnedFd> found = new HashMap<>();
        UnixStreamSocket.setPeekOffset(socket, 0);
        size = 0;
        for (OwnedFd fd = receive(MSG_PEEK); fd != null; fd = receive(MSG_PEEK)) {
            size++;
            OwnedFd earlier = found.put(id.get(ValueLayout.JAVA_LONG, 0), fd);
            if (earlier != null) {
                earlier.close();
            }
        }
        UnixStreamSocket.setPeekOffset(socket, NO_OFFSET);
        return found;
    }

    /**
     * Removes the descriptors whose IDs are not in use. All others are in the queue at every instant, some of them
     * twice meanwhile.
     *
     * @param inUse returns whether an ID is in use
     */
    public void compact(LongPredicate inUse) throws ErrnoException {
        UnixStreamSocket.enlargeSendBuffer(socket, SEND_BUFFER_BYTES);
        try {
            removeUnused(inUse);
        } finally {
            UnixStreamSocket.enlargeSendBuffer(socket, sendBuffer / 2);
        }
    }

    private void removeUnused(LongPredicate inUse) throws ErrnoException {
        for (int i = size; i > 0; i--) {
            OwnedFd first = receive(MSG_PEEK);
            if (first == null) {
                return;
            }
            long firstId = id.get(ValueLayout.JAVA_LONG, 0);
            if (inUse.test(firstId)) {
                add(firstId, first);
            }
            first.close();
            OwnedFd removed = receive(0);
            size--;
            if (removed != null) {
                removed.close();
            }
        }
    }

    /** The number of descriptors in the queue, including those that {@link #compact} would remove. */
    public int size() {
        return size;
    }

    /** Receives a datagram. Stores its ID in {@link #id} and returns its descriptor; null if the queue is empty. */
    private OwnedFd receive(int flags) {
        SocketMessageHeader message = SocketMessageHeader.toReceive(id);
        long bytes = Libc.callLong(
                RECVMSG, socket.number(), message.address(), flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0, 0, 0);
        if (bytes != ID_BYTES || message.descriptors() != 1) {
            assert bytes == -Errno.EAGAIN : bytes;
            return null;
        }
        return new OwnedFd(message.descriptor(0), closer);
    }

    /** The socket, for the file descriptor store. This object remains the owner. */
    public OwnedFd fd() {
        return socket;
    }

    /**
     * Closes this process's descriptor of the socket, in the executor: the queue exists as long as a duplicate of the
     * socket is open, and the last close(2) also closes all queued descriptors.
     */
    @Override
    public void close() {
        socket.close();
        arena.close();
    }
}
