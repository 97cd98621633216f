package org.vhostuserrng.device;

/** Constants of VIRTIO 1.3, by its own names. */
final class Virtio {
    // §6 Reserved Feature Bits
    static final long VIRTIO_F_INDIRECT_DESC = 1L << 28;
    static final long VIRTIO_F_EVENT_IDX = 1L << 29;
    static final long VIRTIO_F_VERSION_1 = 1L << 32;

    // §2.7.5 The Virtqueue Descriptor Table
    static final int VIRTQ_DESC_F_NEXT = 1;
    static final int VIRTQ_DESC_F_WRITE = 2;
    static final int VIRTQ_DESC_F_INDIRECT = 4;

    // §2.7.6 The Virtqueue Available Ring
    static final int VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

    /** §2.7: Queue Size is a power of 2, and at most this. */
    static final int LARGEST_QUEUE = 32768;

    private Virtio() {}

    /**
     * §2.7.10: whether a notification is wanted when the index moves from {@code oldIndex} to {@code newIndex}, if the
     * other side asked for one at {@code event}. Indices wrap at 2^16.
     */
    static boolean needEvent(int event, int newIndex, int oldIndex) {
        return ((newIndex - event - 1) & 0xffff) < ((newIndex - oldIndex) & 0xffff);
    }
}
