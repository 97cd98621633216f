package org.vhostuserrng.frontend;

/**
 * Constants of the vhost-user document (QEMU docs/interop/vhost-user.rst). The message ids are in
 * {@link FrontendMessageType}, the feature bits in {@link ProtocolFeatureBit} and {@link VirtioFeatureBit}.
 */
public final class FrontendVhostUserConstants {
    /** Size of the header in bytes: request, flags and payload size, 32 bits each in native byte order. */
    public static final int HEADER_SIZE = 12;

    /** Flags bits 0-1: protocol version 1. */
    public static final int FLAG_VERSION = 0x1;

    /** Mask of flags bits 0-1. */
    public static final int FLAG_VERSION_MASK = 0x3;

    /** Flags bit 2: the message is a reply. */
    public static final int FLAG_REPLY = 0x4;

    /** Flags bit 3, need_reply: the sender requests an acknowledgement (REPLY_ACK). */
    public static final int FLAG_NEED_REPLY = 0x8;

    /** Maximum number of file descriptors of one message. */
    public static final int MAX_FDS = 32;

    /**
     * In the u64 payload of SET_VRING_KICK, SET_VRING_CALL and SET_VRING_ERR: the message carries no file descriptor.
     */
    public static final long VRING_NOFD_MASK = 0x100;

    /** In the u64 reply to SET_DEVICE_STATE_FD: the reply carries no file descriptor. */
    public static final long DEVICE_STATE_NOFD_MASK = 0x100;

    /** Transfer direction of SET_DEVICE_STATE_FD: from the back-end to the front-end. */
    public static final int DEVICE_STATE_SAVE = 0;

    /** Transfer direction of SET_DEVICE_STATE_FD: from the front-end to the back-end. */
    public static final int DEVICE_STATE_LOAD = 1;

    /** Migration phase of SET_DEVICE_STATE_FD: the device is suspended. */
    public static final int DEVICE_STATE_STOPPED = 0;

    private FrontendVhostUserConstants() {}
}
