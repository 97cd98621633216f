package org.vhostuserrng.frontend;

/**
 * The device-independent feature bits without the prefix VIRTIO_F_: those of VIRTIO 1.3 chapter 6, the legacy bits, and
 * two bits that vhost and vhost-user define. Only VIRTIO 1.4 defines SUSPEND.
 */
public enum VirtioFeatureBit {
    NOTIFY_ON_EMPTY(24),
    /** VHOST_F_LOG_ALL: the back-end logs its writes to guest memory. */
    LOG_ALL(26),
    ANY_LAYOUT(27),
    INDIRECT_DESC(28),
    EVENT_IDX(29),
    /** VHOST_USER_F_PROTOCOL_FEATURES: the back-end supports protocol features. */
    PROTOCOL_FEATURES(30),
    VERSION_1(32),
    ACCESS_PLATFORM(33),
    RING_PACKED(34),
    IN_ORDER(35),
    ORDER_PLATFORM(36),
    SR_IOV(37),
    NOTIFICATION_DATA(38),
    NOTIF_CONFIG_DATA(39),
    RING_RESET(40),
    ADMIN_VQ(41),
    SUSPEND(43);

    private final int bit;

    VirtioFeatureBit(int bit) {
        this.bit = bit;
    }

    /** The bit as a mask. */
    public long mask() {
        return 1L << bit;
    }
}
