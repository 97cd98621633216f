package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The {@code struct msghdr} of recvmsg(2) and sendmsg(2), with one buffer and space for the maximum number of
 * descriptors (SCM_RIGHTS). Each thread has one instance for all its sockets, whose contents are valid until the thread
 * prepares the next message.
 */
final class SocketMessageHeader {
    /**
     * linux/net/scm.h: the maximum number of descriptors per sendmsg(2). With less space, the kernel would close the
     * excess descriptors in recvmsg(2), which may block.
     */
    private static final int SCM_MAX_FD = 253;

    private static final int MSG_CTRUNC = 0x8;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;

    // struct msghdr { void *msg_name; socklen_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
    //                 void *msg_control; size_t msg_controllen; int msg_flags; };
    private static final long MSG_NAME = 0;
    private static final long MSG_NAMELEN = 8;
    private static final long MSG_IOV = 16;
    private static final long MSG_IOVLEN = 24;
    private static final long MSG_CONTROL = 32;
    private static final long MSG_CONTROLLEN = 40;
    private static final long MSG_FLAGS = 48;
    private static final long MSGHDR_BYTES = 56;
    // struct iovec { void *iov_base; size_t iov_len; };
    private static final long IOV_BASE = 0;
    private static final long IOV_LEN = 8;
    private static final long IOVEC_BYTES = 16;
    // struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; }; the descriptors follow.
    private static final long CMSG_LEVEL = 8;
    private static final long CMSG_TYPE = 12;
    private static final long CMSG_DATA = 16;
    /** An address in the first page, which Linux never maps (mmap_min_addr). */
    private static final long INVALID_ADDRESS = 8;

    private static final long CMSG_SPACE_OF_ONE = CMSG_DATA + Long.BYTES;
    private static final long CONTROL_BYTES = CMSG_DATA + SCM_MAX_FD * Integer.BYTES;

    private static final ThreadLocal<SocketMessageHeader> OF_THREAD = ThreadLocal.withInitial(SocketMessageHeader::new);

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment header = arena.allocate(MSGHDR_BYTES, Long.BYTES);
    private final MemorySegment vector = arena.allocate(2 * IOVEC_BYTES, Long.BYTES);
    private final MemorySegment control = arena.allocate(CONTROL_BYTES, Long.BYTES);

    private SocketMessageHeader() {}

    /** Prepares the calling thread's instance to receive into {@code target}. */
    static SocketMessageHeader toReceive(MemorySegment target) {
        return toReceive(target, 0, target.byteSize());
    }

    /** Prepares the calling thread's instance to receive into a range of {@code target}. */
    static SocketMessageHeader toReceive(MemorySegment target, long offset, long length) {
        return OF_THREAD.get().of(target.address() + offset, length, CONTROL_BYTES);
    }

    /**
     * Prepares the calling thread's instance to receive into {@code target} and one more byte at an invalid address. If
     * the peer sent the next byte with another sendmsg(2), the kernel stops at the end of {@code target}; if it sent
     * that byte with the same call, recvmsg(2) fails with EFAULT.
     */
    static SocketMessageHeader toReceiveUpToPiece(MemorySegment target) {
        SocketMessageHeader message = toReceive(target);
        message.vector.set(ValueLayout.JAVA_LONG, IOVEC_BYTES + IOV_BASE, INVALID_ADDRESS);
        message.vector.set(ValueLayout.JAVA_LONG, IOVEC_BYTES + IOV_LEN, 1);
        message.header.set(ValueLayout.JAVA_LONG, MSG_IOVLEN, 2);
        return message;
    }

    /** Prepares the calling thread's instance to send the bytes of {@code source} and a descriptor. */
    static SocketMessageHeader toSend(MemorySegment source, OwnedFd passed) {
        SocketMessageHeader message = OF_THREAD.get().of(source.address(), source.byteSize(), CMSG_SPACE_OF_ONE);
        MemorySegment control = message.control;
        control.set(ValueLayout.JAVA_LONG, 0, CMSG_DATA + Integer.BYTES);
        control.set(ValueLayout.JAVA_INT, CMSG_LEVEL, SOL_SOCKET);
        control.set(ValueLayout.JAVA_INT, CMSG_TYPE, SCM_RIGHTS);
        control.set(ValueLayout.JAVA_INT, CMSG_DATA, passed.number());
        return message;
    }

    /**
     * Like {@link #toSend(MemorySegment, OwnedFd)}, for a socket that is not connected.
     *
     * @param receiver the address of the receiver, a struct sockaddr
     */
    static SocketMessageHeader toSend(MemorySegment source, OwnedFd passed, MemorySegment receiver) {
        SocketMessageHeader message = toSend(source, passed);
        message.header.set(ValueLayout.JAVA_LONG, MSG_NAME, receiver.address());
        message.header.set(ValueLayout.JAVA_INT, MSG_NAMELEN, (int) receiver.byteSize());
        return message;
    }

    private SocketMessageHeader of(long address, long length, long controlBytes) {
        vector.set(ValueLayout.JAVA_LONG, IOV_BASE, address);
        vector.set(ValueLayout.JAVA_LONG, IOV_LEN, length);
        header.fill((byte) 0);
        header.set(ValueLayout.JAVA_LONG, MSG_IOV, vector.address());
        header.set(ValueLayout.JAVA_LONG, MSG_IOVLEN, 1);
        header.set(ValueLayout.JAVA_LONG, MSG_CONTROL, control.address());
        header.set(ValueLayout.JAVA_LONG, MSG_CONTROLLEN, controlBytes);
        return this;
    }

    long address() {
        return header.address();
    }

    /**
     * Returns whether the kernel dropped descriptors, because there were too many or because this process may not
     * receive them.
     */
    boolean isTruncated() {
        return (header.get(ValueLayout.JAVA_INT, MSG_FLAGS) & MSG_CTRUNC) != 0;
    }

    /** The number of received descriptors. */
    int descriptors() {
        long used = header.get(ValueLayout.JAVA_LONG, MSG_CONTROLLEN);
        boolean rights = used >= CMSG_DATA
                && control.get(ValueLayout.JAVA_INT, CMSG_LEVEL) == SOL_SOCKET
                && control.get(ValueLayout.JAVA_INT, CMSG_TYPE) == SCM_RIGHTS;
        // Trusts cmsg_len: the kernel writes it, and it never exceeds the control buffer.
        return rights ? (int) (control.get(ValueLayout.JAVA_LONG, 0) - CMSG_DATA) / Integer.BYTES : 0;
    }

    int descriptor(int index) {
        return control.get(ValueLayout.JAVA_INT, CMSG_DATA + (long) index * Integer.BYTES);
    }
}
