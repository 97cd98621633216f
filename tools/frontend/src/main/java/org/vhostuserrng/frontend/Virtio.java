package org.vhostuserrng.frontend;

/** Constants of VIRTIO 1.4, under its own names: feature bits (chapter 6) and the split virtqueue (section 2.7). */
public final class Virtio {
    public static final long VIRTIO_F_INDIRECT_DESC = 1L << 28;
    public static final long VIRTIO_F_EVENT_IDX = 1L << 29;
    public static final long VIRTIO_F_VERSION_1 = 1L << 32;

    /** The buffer continues in the descriptor that {@code next} names. */
    public static final int VIRTQ_DESC_F_NEXT = 1;

    /** The buffer is device write-only; without it, device read-only. */
    public static final int VIRTQ_DESC_F_WRITE = 2;

    /** The buffer contains a table of descriptors. */
    public static final int VIRTQ_DESC_F_INDIRECT = 4;

    /** In the flags of the available ring: the driver wants no interrupt. */
    public static final int VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

    /** In the flags of the used ring: the device wants no kick. */
    public static final int VIRTQ_USED_F_NO_NOTIFY = 1;

    /** Bytes of one descriptor: address 8, length 4, flags 2, next 2, all little-endian. */
    public static final int VIRTQ_DESC_SIZE = 16;

    /** Bytes of one used element: id 4, length 4. */
    public static final int VIRTQ_USED_ELEM_SIZE = 8;

    /** Most descriptors a split virtqueue may have. */
    public static final int VIRTQ_MAX_SIZE = 32768;

    private Virtio() {}
}
