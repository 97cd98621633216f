package org.vhostuserrng.frontend;

/** Constants of the vhost-user document (QEMU docs/interop/vhost-user.rst), under its own names. */
public final class FrontendVhostUserSpec {
    /** Bytes of the header: request, flags, size of the payload, 32 bits each in the byte order of the machine. */
    public static final int HEADER_SIZE = 12;

    /** Flags bits 0-1: the version of the protocol, 1. */
    public static final int FLAG_VERSION = 0x1;

    /** Flags bits 0-1 as a mask. */
    public static final int FLAG_VERSION_MASK = 0x3;

    /** Flags bit 2: the message is a reply. */
    public static final int FLAG_REPLY = 0x4;

    /** Flags bit 3: the sender wants an acknowledgement (REPLY_ACK). */
    public static final int FLAG_NEED_REPLY = 0x8;

    /** Most file descriptors one message may carry. */
    public static final int MAX_FDS = 8;

    /** In the u64 of SET_VRING_KICK, CALL and ERR: no file descriptor comes with the message. */
    public static final long VRING_NOFD_MASK = 0x100;

    /** Virtio feature bit that opens the protocol features. */
    public static final long VHOST_USER_F_PROTOCOL_FEATURES = 1L << 30;

    // Protocol features.
    public static final long PROTOCOL_F_MQ = 1L;
    public static final long PROTOCOL_F_REPLY_ACK = 1L << 3;
    public static final long PROTOCOL_F_BACKEND_REQ = 1L << 5;
    public static final long PROTOCOL_F_INFLIGHT_SHMFD = 1L << 12;
    public static final long PROTOCOL_F_DEVICE_STATE = 1L << 19;
    public static final long PROTOCOL_F_GET_VRING_BASE_INFLIGHT = 1L << 20;
    public static final long PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN = 1L << 23;

    // Front-end message types.
    public static final int GET_FEATURES = 1;
    public static final int SET_FEATURES = 2;
    public static final int SET_OWNER = 3;
    public static final int SET_MEM_TABLE = 5;
    public static final int SET_VRING_NUM = 8;
    public static final int SET_VRING_ADDR = 9;
    public static final int SET_VRING_BASE = 10;
    public static final int GET_VRING_BASE = 11;
    public static final int SET_VRING_KICK = 12;
    public static final int SET_VRING_CALL = 13;
    public static final int SET_VRING_ERR = 14;
    public static final int GET_PROTOCOL_FEATURES = 15;
    public static final int SET_PROTOCOL_FEATURES = 16;
    public static final int GET_QUEUE_NUM = 17;
    public static final int SET_VRING_ENABLE = 18;
    public static final int SET_BACKEND_REQ_FD = 21;
    public static final int IOTLB_MSG = 22;
    public static final int GET_INFLIGHT_FD = 31;
    public static final int SET_INFLIGHT_FD = 32;
    public static final int SET_DEVICE_STATE_FD = 42;
    public static final int CHECK_DEVICE_STATE = 43;
    public static final int GET_VRING_BASE_SKIP_DRAIN = 45;

    /** In the u64 that answers SET_DEVICE_STATE_FD: no file descriptor comes with it. */
    public static final long DEVICE_STATE_NOFD_MASK = 0x100;

    /** In SET_DEVICE_STATE_FD: the state goes to the front-end. */
    public static final int DEVICE_STATE_SAVE = 0;

    /** In SET_DEVICE_STATE_FD: the state comes from the front-end. */
    public static final int DEVICE_STATE_LOAD = 1;

    /** In SET_DEVICE_STATE_FD: the phase in which the device is suspended. */
    public static final int DEVICE_STATE_STOPPED = 0;

    private FrontendVhostUserSpec() {}
}
