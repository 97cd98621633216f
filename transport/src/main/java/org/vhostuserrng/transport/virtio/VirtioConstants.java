package org.vhostuserrng.transport.virtio;

/** Constants of VIRTIO 1.3, with the names of the specification. */
public final class VirtioConstants {
    // §2.1 Device Status Field: writing 0 resets the device.
    public static final int STATUS_RESET = 0;
    public static final int STATUS_ACKNOWLEDGE = 1;
    public static final int STATUS_DRIVER = 2;
    public static final int STATUS_DRIVER_OK = 4;
    public static final int STATUS_FEATURES_OK = 8;
    public static final int STATUS_DEVICE_NEEDS_RESET = 64;
    public static final int STATUS_FAILED = 128;

    // §6 Reserved Feature Bits
    public static final long VIRTIO_F_INDIRECT_DESC = 1L << 28;
    public static final long VIRTIO_F_EVENT_IDX = 1L << 29;
    public static final long VIRTIO_F_VERSION_1 = 1L << 32;
    public static final long VIRTIO_F_ACCESS_PLATFORM = 1L << 33;
    public static final long VIRTIO_F_RING_PACKED = 1L << 34;
    public static final long VIRTIO_F_IN_ORDER = 1L << 35;
    public static final long VIRTIO_F_ORDER_PLATFORM = 1L << 36;
    public static final long VIRTIO_F_NOTIFICATION_DATA = 1L << 38;
    public static final long VIRTIO_F_RING_RESET = 1L << 40;

    // §2.7, §2.8: the maximum Queue Size of split and packed virtqueues.
    public static final int MAX_QUEUE_SIZE = 32768;

    // §2.7.5, §2.8.13: struct virtq_desc and struct pvirtq_desc.
    public static final int DESCRIPTOR_BYTES = 16;

    // §2.7.5 The Virtqueue Descriptor Table. The flags have the same values in a packed virtqueue.
    public static final int VIRTQ_DESC_F_NEXT = 1;
    public static final int VIRTQ_DESC_F_WRITE = 2;
    public static final int VIRTQ_DESC_F_INDIRECT = 4;

    // §2.7.6 The Virtqueue Available Ring
    public static final int VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

    // §2.7.8 The Virtqueue Used Ring
    public static final int VIRTQ_USED_F_NO_NOTIFY = 1;

    // §2.8.1 Driver and Device Ring Wrap Counters
    public static final int VIRTQ_DESC_F_AVAIL = 1 << 7;
    public static final int VIRTQ_DESC_F_USED = 1 << 15;

    // §2.8.13: offsets in struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; }.
    public static final long PVIRTQ_DESC_ADDR = 0;
    public static final long PVIRTQ_DESC_LEN = 8;
    public static final long PVIRTQ_DESC_ID = 12;
    public static final long PVIRTQ_DESC_FLAGS = 14;

    // §2.8.10 Driver and Device Event Suppression
    public static final int RING_EVENT_FLAGS_ENABLE = 0;
    public static final int RING_EVENT_FLAGS_DISABLE = 1;
    public static final int RING_EVENT_FLAGS_DESC = 2;

    // §2.8.10, §2.8.14: one le16 contains a descriptor index and the wrap counter.
    public static final int PACKED_INDEX_MASK = 0x7fff;
    public static final int PACKED_WRAP_COUNTER = 0x8000;

    private VirtioConstants() {}

    /** §2.8.1: returns whether a descriptor with these flags is available to a device with this wrap counter. */
    public static boolean isPackedAvailable(int flags, boolean wrapCounter) {
        boolean avail = (flags & VIRTQ_DESC_F_AVAIL) != 0;
        boolean used = (flags & VIRTQ_DESC_F_USED) != 0;
        return avail == wrapCounter && used != wrapCounter;
    }

    /**
     * §2.7.10: returns whether to send a notification after an index has moved from {@code oldIndex} to
     * {@code newIndex}, if the other side requested one at {@code event}. Indices wrap at 2^16.
     */
    public static boolean needEvent(int event, int newIndex, int oldIndex) {
        return ((newIndex - event - 1) & 0xffff) < ((newIndex - oldIndex) & 0xffff);
    }
}
