package org.vhostuserrng.transport.vhostuser.protocol;

/**
 * Constants of the vhost-user document ("Vhost-user Protocol", QEMU docs/interop/vhost-user.rst), with the names of the
 * document. Does not contain requests and feature bits that this back-end does not support.
 */
public final class VhostUserConstants {
    // Header
    public static final int VERSION = 0x1;
    public static final int VERSION_MASK = 0x3;
    public static final int REPLY_FLAG = 0x4;
    public static final int NEED_REPLY_FLAG = 0x8;
    /** The size of the header: u32 request, u32 flags, u32 size, in native byte order. */
    public static final int HEADER_BYTES = 12;

    // Front-end message types
    public static final int VHOST_USER_GET_FEATURES = 1;
    public static final int VHOST_USER_SET_FEATURES = 2;
    public static final int VHOST_USER_SET_OWNER = 3;
    public static final int VHOST_USER_RESET_OWNER = 4;
    public static final int VHOST_USER_SET_MEM_TABLE = 5;
    public static final int VHOST_USER_SET_LOG_BASE = 6;
    public static final int VHOST_USER_SET_LOG_FD = 7;
    public static final int VHOST_USER_SET_VRING_NUM = 8;
    public static final int VHOST_USER_SET_VRING_ADDR = 9;
    public static final int VHOST_USER_SET_VRING_BASE = 10;
    public static final int VHOST_USER_GET_VRING_BASE = 11;
    public static final int VHOST_USER_SET_VRING_KICK = 12;
    public static final int VHOST_USER_SET_VRING_CALL = 13;
    public static final int VHOST_USER_SET_VRING_ERR = 14;
    public static final int VHOST_USER_GET_PROTOCOL_FEATURES = 15;
    public static final int VHOST_USER_SET_PROTOCOL_FEATURES = 16;
    public static final int VHOST_USER_GET_QUEUE_NUM = 17;
    public static final int VHOST_USER_SET_VRING_ENABLE = 18;
    public static final int VHOST_USER_SET_BACKEND_REQ_FD = 21;
    public static final int VHOST_USER_IOTLB_MSG = 22;
    public static final int VHOST_USER_GET_INFLIGHT_FD = 31;
    public static final int VHOST_USER_SET_INFLIGHT_FD = 32;
    public static final int VHOST_USER_RESET_DEVICE = 34;
    public static final int VHOST_USER_GET_MAX_MEM_SLOTS = 36;
    public static final int VHOST_USER_ADD_MEM_REG = 37;
    public static final int VHOST_USER_REM_MEM_REG = 38;
    public static final int VHOST_USER_SET_STATUS = 39;
    public static final int VHOST_USER_GET_STATUS = 40;
    public static final int VHOST_USER_SET_DEVICE_STATE_FD = 42;
    public static final int VHOST_USER_CHECK_DEVICE_STATE = 43;
    public static final int VHOST_USER_GET_VRING_BASE_SKIP_DRAIN = 45;

    // Back-end message types
    public static final int VHOST_USER_BACKEND_IOTLB_MSG = 1;

    // struct vhost_iotlb_msg { u64 iova; u64 size; u64 uaddr; u8 perm; u8 type; }, padded to a multiple of 8 bytes.
    public static final int IOTLB_MSG_BYTES = 32;
    public static final int VHOST_ACCESS_RW = 3;
    public static final int VHOST_IOTLB_MISS = 1;
    public static final int VHOST_IOTLB_UPDATE = 2;
    public static final int VHOST_IOTLB_INVALIDATE = 3;
    public static final int VHOST_IOTLB_ACCESS_FAIL = 4;

    // Protocol feature bits
    public static final int VHOST_USER_PROTOCOL_F_MQ = 0;
    public static final int VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1;
    public static final int VHOST_USER_PROTOCOL_F_REPLY_ACK = 3;
    public static final int VHOST_USER_PROTOCOL_F_BACKEND_REQ = 5;
    public static final int VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD = 12;
    public static final int VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13;
    public static final int VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS = 15;
    public static final int VHOST_USER_PROTOCOL_F_STATUS = 16;
    public static final int VHOST_USER_PROTOCOL_F_DEVICE_STATE = 19;
    public static final int VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT = 20;
    public static final int VHOST_USER_PROTOCOL_F_GPA_ADDRESSES = 21;
    public static final int VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN = 23;

    /** Feature bit: the back-end logs its writes to buffers. */
    public static final int VHOST_F_LOG_ALL = 26;

    /** Flag bit of SET_VRING_ADDR: the back-end logs its writes to the used ring. */
    public static final int VHOST_VRING_F_LOG = 0;

    /** Feature bit: front-end and back-end can negotiate protocol features. */
    public static final int VHOST_USER_F_PROTOCOL_FEATURES = 30;

    /** Maximum number of regions in SET_MEM_TABLE. The document permits 8, but some front-ends send up to 32. */
    public static final int MAX_REGIONS = 32;

    /** Maximum number of regions with CONFIGURE_MEM_SLOTS: QEMU's own limit for hot-plugged memory. */
    public static final int MAX_MEM_SLOTS = 509;

    /** Maximum number of descriptors in one message. */
    static final int MAX_FDS = MAX_REGIONS;

    /** Masks of the u64 in SET_VRING_KICK, CALL and ERR: the index of the vring, and the bit for "no descriptor". */
    public static final int VRING_IDX_MASK = 0xff;

    public static final int VRING_NOFD_MASK = 0x100;

    /**
     * Mask of the bit for "no descriptor" in the reply to SET_DEVICE_STATE_FD. Its lower bits are non-zero on failure.
     */
    public static final int DEVICE_STATE_NOFD_MASK = 0x100;

    /** The size of the inflight description: u64 mmap size, u64 mmap offset, u16 num queues, u16 queue size. */
    public static final int INFLIGHT_BYTES = 20;

    /**
     * The size of the inflight description as a C struct, padded to a multiple of 8 bytes. Front-ends send and expect
     * this one.
     */
    public static final int INFLIGHT_STRUCT_BYTES = 24;

    /**
     * The size of the largest payload: SET_MEM_TABLE with {@link #MAX_REGIONS} regions (u32 count, u32 padding, 32
     * bytes each).
     */
    public static final int MAX_PAYLOAD_BYTES = 8 + MAX_REGIONS * 32;

    private VhostUserConstants() {}

    /** Returns the mask of a feature bit. */
    public static long mask(int bit) {
        return 1L << bit;
    }
}
