package org.vhostuserrng.transport.virtio;

/**
 * The position of a device in a virtqueue, in terms of VIRTIO's indices.
 *
 * <p>In a split virtqueue (VIRTIO 1.3 §2.7), {@code nextAvail} and {@code nextUsed} are free-running 16-bit indices. In
 * a packed virtqueue (§2.8), each contains a descriptor index in bits 0 to 14 and the wrap counter in bit 15, as in the
 * event suppression structure (§2.8.10).
 *
 * @param nextAvail the next available ring entry (split), or the next available descriptor (packed)
 * @param nextUsed the next used ring entry (split; ignored at the start, which uses the idx field of the used ring), or
 *     the next used descriptor (packed)
 * @param isAtUsedIndex whether a split virtqueue starts at the idx field of its used ring instead of {@code nextAvail}:
 *     the position after a crash, because the used index of a device that serves requests in order is also the index of
 *     its first unserved request
 */
public record VirtqueuePosition(int nextAvail, int nextUsed, boolean isAtUsedIndex) {
    /** The position of a split virtqueue whose device ended without being stopped, as in a crash. */
    public static final VirtqueuePosition AT_USED_INDEX = new VirtqueuePosition(0, 0, true);

    /** Creates the position of a new virtqueue, or of one whose device was stopped. */
    public VirtqueuePosition(int nextAvail, int nextUsed) {
        this(nextAvail, nextUsed, false);
    }
}
