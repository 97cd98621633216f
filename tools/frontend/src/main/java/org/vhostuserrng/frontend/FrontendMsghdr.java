package org.vhostuserrng.frontend;

import jnr.ffi.Pointer;

/**
 * A struct msghdr of 64-bit Linux with one iovec and one SCM_RIGHTS control message. It replaces MsgHdr of jnr-posix,
 * which holds no references to its iovec and control buffers, so that the garbage collector may free them during a
 * blocking call. All buffers of this class live as long as the object.
 */
final class FrontendMsghdr {
    /** SCM_MAX_FD: the kernel's maximum number of file descriptors per message. */
    static final int MAX_FDS = 253;

    private static final int NAME = 0;
    private static final int MSG_IOV = 16;
    private static final int MSG_IOVLEN = 24;
    private static final int MSG_CONTROL = 32;
    private static final int MSG_CONTROLLEN = 40;
    private static final int MSG_FLAGS = 48;
    private static final int MSGHDR_SIZE = 56;

    private static final int IOV_BASE = 0;
    private static final int IOV_LEN = 8;
    private static final int IOVEC_SIZE = 16;

    private static final int CMSG_LEN = 0;
    private static final int CMSG_LEVEL = 8;
    private static final int CMSG_TYPE = 12;
    private static final int CMSG_DATA = 16;
    private static final int CMSG_SPACE = CMSG_DATA + (MAX_FDS * Integer.BYTES + 7) / 8 * 8;

    private final Pointer message = allocate(MSGHDR_SIZE);
    private final Pointer vector = allocate(IOVEC_SIZE);
    private final Pointer control = allocate(CMSG_SPACE);
    private final Pointer data;

    FrontendMsghdr(int capacity) {
        data = allocate(capacity);
        message.putAddress(NAME, 0);
        message.putPointer(MSG_IOV, vector);
        message.putLong(MSG_IOVLEN, 1);
        message.putPointer(MSG_CONTROL, control);
        vector.putPointer(IOV_BASE, data);
    }

    private static Pointer allocate(int size) {
        return FrontendLibc.runtime().getMemoryManager().allocateDirect(size, true);
    }

    /** The struct msghdr to pass to sendmsg(2) or recvmsg(2). */
    Pointer pointer() {
        return message;
    }

    void prepareToSend(byte[] bytes, int offset, int length, int... fds) {
        data.put(0, bytes, offset, length);
        vector.putLong(IOV_LEN, length);
        int controlLength = CMSG_DATA + fds.length * Integer.BYTES;
        control.putLong(CMSG_LEN, controlLength);
        control.putInt(CMSG_LEVEL, FrontendLibc.SOL_SOCKET);
        control.putInt(CMSG_TYPE, FrontendLibc.SCM_RIGHTS);
        control.put(CMSG_DATA, fds, 0, fds.length);
        message.putLong(MSG_CONTROLLEN, fds.length == 0 ? 0 : controlLength);
        message.putInt(MSG_FLAGS, 0);
    }

    void prepareToReceive(int length) {
        vector.putLong(IOV_LEN, length);
        message.putLong(MSG_CONTROLLEN, CMSG_SPACE);
        message.putInt(MSG_FLAGS, 0);
    }

    byte[] receivedBytes(int length) {
        byte[] bytes = new byte[length];
        data.get(0, bytes, 0, length);
        return bytes;
    }

    int[] receivedFds() {
        boolean none = message.getLong(MSG_CONTROLLEN) < CMSG_DATA
                || control.getInt(CMSG_LEVEL) != FrontendLibc.SOL_SOCKET
                || control.getInt(CMSG_TYPE) != FrontendLibc.SCM_RIGHTS;
        int[] fds = new int[none ? 0 : (int) (control.getLong(CMSG_LEN) - CMSG_DATA) / Integer.BYTES];
        control.get(CMSG_DATA, fds, 0, fds.length);
        return fds;
    }

    boolean controlTruncated() {
        return (message.getInt(MSG_FLAGS) & FrontendLibc.MSG_CTRUNC) != 0;
    }
}
