package org.vhostuserrng.frontend;

/**
 * Constants of VIRTIO 1.4, under its own names: feature bits (chapter 6), the split virtqueue (section
 * 2.7) and the packed one (section 2.8).
 */
public final class DriverVirtioSpec {
    public static final long VIRTIO_F_INDIRECT_DESC = 1L << 28;
    public static final long VIRTIO_F_EVENT_IDX = 1L << 29;
    public static final long VIRTIO_F_VERSION_1 = 1L << 32;
    public static final long VIRTIO_F_ACCESS_PLATFORM = 1L << 33;
    public static final long VIRTIO_F_RING_PACKED = 1L << 34;
    public static final long VIRTIO_F_IN_ORDER = 1L << 35;
    public static final long VIRTIO_F_ORDER_PLATFORM = 1L << 36;

    /** The buffer continues in the descriptor that {@code next} names. */
    public static final int VIRTQ_DESC_F_NEXT = 1;

    /** The buffer is device write-only; without it, device read-only. */
    public static final int VIRTQ_DESC_F_WRITE = 2;

    /** The buffer contains a table of descriptors. */
    public static final int VIRTQ_DESC_F_INDIRECT = 4;

    /** In a packed virtqueue: differs from the USED bit when the descriptor is available, is the same when it is used. */
    public static final int VIRTQ_DESC_F_AVAIL = 1 << 7;

    /** In a packed virtqueue: see {@link #VIRTQ_DESC_F_AVAIL}. */
    public static final int VIRTQ_DESC_F_USED = 1 << 15;

    /** In an event suppression structure: notifications are wanted. */
    public static final int RING_EVENT_FLAGS_ENABLE = 0;

    /** In an event suppression structure: notifications are not wanted. */
    public static final int RING_EVENT_FLAGS_DISABLE = 1;

    /** In an event suppression structure: a notification is wanted for one descriptor. */
    public static final int RING_EVENT_FLAGS_DESC = 2;

    /** In the flags of the available ring: the driver wants no interrupt. */
    public static final int VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

    /** In the flags of the used ring: the device wants no kick. */
    public static final int VIRTQ_USED_F_NO_NOTIFY = 1;

    /**
     * Bytes of one descriptor, all little-endian: address 8, length 4, then flags 2, next 2 (split) or id 2, flags 2
     * (packed).
     */
    public static final int VIRTQ_DESC_SIZE = 16;

    /** Bytes of one used element: id 4, length 4. */
    public static final int VIRTQ_USED_ELEM_SIZE = 8;

    /** Bytes of an event suppression structure: descriptor 2, flags 2. */
    public static final int PVIRTQ_EVENT_SUPPRESS_SIZE = 4;

    /** Most descriptors a virtqueue may have. */
    public static final int VIRTQ_MAX_SIZE = 32768;

    private DriverVirtioSpec() {}
}
