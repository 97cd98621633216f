package org.vhostuserrng.frontend;

/** The protocol feature bits of the vhost-user document, without the prefix VHOST_USER_PROTOCOL_F_. */
public enum ProtocolFeatureBit {
    MQ(0),
    LOG_SHMFD(1),
    RARP(2),
    REPLY_ACK(3),
    NET_MTU(4),
    BACKEND_REQ(5),
    CROSS_ENDIAN(6),
    CRYPTO_SESSION(7),
    PAGEFAULT(8),
    CONFIG(9),
    BACKEND_SEND_FD(10),
    HOST_NOTIFIER(11),
    INFLIGHT_SHMFD(12),
    RESET_DEVICE(13),
    INBAND_NOTIFICATIONS(14),
    CONFIGURE_MEM_SLOTS(15),
    STATUS(16),
    XEN_MMAP(17),
    SHARED_OBJECT(18),
    DEVICE_STATE(19),
    GET_VRING_BASE_INFLIGHT(20),
    GPA_ADDRESSES(21),
    SHMEM(22),
    GET_VRING_BASE_SKIP_DRAIN(23);

    private final int bit;

    ProtocolFeatureBit(int bit) {
        this.bit = bit;
    }

    /** The bit as a mask. */
    public long mask() {
        return 1L << bit;
    }
}
