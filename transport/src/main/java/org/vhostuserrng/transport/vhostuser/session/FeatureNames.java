package org.vhostuserrng.transport.vhostuser.session;

/**
 * Names of feature bits, for messages. A name includes the option of this program that offers the bit, and the property
 * of QEMU's device that accepts it.
 */
final class FeatureNames {
    /** VIRTIO 1.3 §2.2: feature bits below this one are specific to the device type. */
    private static final int FIRST_RESERVED_BIT = 24;

    // The names of the protocol features in the vhost-user document, by bit number, without their prefix.
    private static final String[] PROTOCOL_FEATURES = {
        "MQ",
        "LOG_SHMFD",
        "RARP",
        "REPLY_ACK",
        "NET_MTU",
        "BACKEND_REQ",
        "CROSS_ENDIAN",
        "CRYPTO_SESSION",
        "PAGEFAULT",
        "CONFIG",
        "BACKEND_SEND_FD",
        "HOST_NOTIFIER",
        "INFLIGHT_SHMFD",
        "RESET_DEVICE",
        "INBAND_NOTIFICATIONS",
        "CONFIGURE_MEM_SLOTS (offered with --mem-slots)",
        "STATUS",
        "XEN_MMAP",
        "SHARED_OBJECT",
        "DEVICE_STATE",
        "GET_VRING_BASE_INFLIGHT",
        "GPA_ADDRESSES",
        "SHMEM",
        "GET_VRING_BASE_SKIP_DRAIN"
    };

    private FeatureNames() {}

    /** Lists the names of all bits in a mask of VIRTIO and vhost features. */
    static String describeFeatures(long bits) {
        StringBuilder names = new StringBuilder();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((bits & (1L << bit)) != 0) {
                names.append(names.isEmpty() ? "" : ", ").append(feature(bit));
            }
        }
        return names.toString();
    }

    /** Lists the names of all bits in a mask of protocol features. */
    static String describeProtocolFeatures(long bits) {
        StringBuilder names = new StringBuilder();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((bits & (1L << bit)) != 0) {
                names.append(names.isEmpty() ? "" : ", ").append(protocolFeature(bit));
            }
        }
        return names.toString();
    }

    /** Returns the name of the protocol feature with a bit number. */
    static String protocolFeature(int bit) {
        return bit < PROTOCOL_FEATURES.length
                ? "VHOST_USER_PROTOCOL_F_" + PROTOCOL_FEATURES[bit]
                : "unknown protocol feature " + bit;
    }

    private static String feature(int bit) {
        return switch (bit) {
            case 24 -> accepted("VIRTIO_F_NOTIFY_ON_EMPTY", "notify_on_empty=on");
            case 26 -> "VHOST_F_LOG_ALL";
            case 27 -> accepted("VIRTIO_F_ANY_LAYOUT", "any_layout=on");
            case 28 -> accepted("VIRTIO_F_INDIRECT_DESC", "indirect_desc=on");
            case 29 -> accepted("VIRTIO_F_EVENT_IDX", "event_idx=on");
            case 30 -> "VHOST_USER_F_PROTOCOL_FEATURES";
            case 32 -> "VIRTIO_F_VERSION_1";
            case 33 -> optional("VIRTIO_F_ACCESS_PLATFORM", "--access-platform", "iommu_platform=on");
            case 34 -> optional("VIRTIO_F_RING_PACKED", "--packed", "packed=on");
            case 35 -> optional("VIRTIO_F_IN_ORDER", "--in-order", "in_order=on");
            case 36 -> "VIRTIO_F_ORDER_PLATFORM";
            case 37 -> "VIRTIO_F_SR_IOV";
            case 38 -> "VIRTIO_F_NOTIFICATION_DATA";
            case 39 -> "VIRTIO_F_NOTIF_CONFIG_DATA";
            case 40 -> accepted("VIRTIO_F_RING_RESET", "queue_reset=on");
            case 41 -> "VIRTIO_F_ADMIN_VQ";
            case 43 -> "VIRTIO_F_SUSPEND";
            default -> (bit < FIRST_RESERVED_BIT ? "device-specific feature " : "unknown feature ") + bit;
        };
    }

    private static String accepted(String name, String qemuProperty) {
        return name + " (QEMU: " + qemuProperty + ")";
    }

    private static String optional(String name, String option, String qemuProperty) {
        return name + " (offered with " + option + "; QEMU: " + qemuProperty + ")";
    }
}
