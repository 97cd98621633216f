package org.vhostuserrng.frontend;

/**
 * Constants of the split (VIRTIO 1.3 §2.7) and the packed virtqueue (§2.8), with the names of the specification. The
 * feature bits are in {@link VirtioFeatureBit}.
 */
public final class DriverVirtqueueConstants {
    /** The buffer continues in the next descriptor. */
    public static final int VIRTQ_DESC_F_NEXT = 1;

    /** The buffer is device write-only; without this flag it is device read-only. */
    public static final int VIRTQ_DESC_F_WRITE = 2;

    /** The buffer contains an indirect descriptor table. */
    public static final int VIRTQ_DESC_F_INDIRECT = 4;

    /**
     * Packed virtqueue: the AVAIL bit. It differs from the USED bit in an available descriptor and equals it in a used
     * descriptor.
     */
    public static final int VIRTQ_DESC_F_AVAIL = 1 << 7;

    /** Packed virtqueue: the USED bit, see {@link #VIRTQ_DESC_F_AVAIL}. */
    public static final int VIRTQ_DESC_F_USED = 1 << 15;

    /** Event suppression structure: notifications are enabled. */
    public static final int RING_EVENT_FLAGS_ENABLE = 0;

    /** Event suppression structure: notifications are disabled. */
    public static final int RING_EVENT_FLAGS_DISABLE = 1;

    /** Event suppression structure: notifications are enabled for one descriptor (requires VIRTIO_F_EVENT_IDX). */
    public static final int RING_EVENT_FLAGS_DESC = 2;

    /** Available ring flag: the driver needs no interrupt. */
    public static final int VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

    /** Used ring flag: the device needs no kick. */
    public static final int VIRTQ_USED_F_NO_NOTIFY = 1;

    /**
     * Size of one descriptor in bytes, all fields little-endian: address 8, length 4, then flags 2 and next 2 (split)
     * or id 2 and flags 2 (packed).
     */
    public static final int VIRTQ_DESC_SIZE = 16;

    /** Size of one used element in bytes: id 4, length 4. */
    public static final int VIRTQ_USED_ELEM_SIZE = 8;

    /** Size of an event suppression structure in bytes: off_wrap 2, flags 2. */
    public static final int PVIRTQ_EVENT_SUPPRESS_SIZE = 4;

    /** Maximum queue size. */
    public static final int VIRTQ_MAX_SIZE = 32768;

    private DriverVirtqueueConstants() {}
}
