package org.vhostuserrng.transport.virtio;

/**
 * The position of a device in a virtqueue, with the indices that VIRTIO defines.
 *
 * <p>In a split virtqueue (VIRTIO 1.3 §2.7) both are free-running 16-bit indices. In a packed virtqueue (§2.8) each is
 * a descriptor index in bits 0 to 14 and the wrap counter in bit 15, as in the event suppression structure (§2.8.10).
 *
 * @param nextAvail the next available ring entry, or the next available descriptor
 * @param nextUsed the next used ring entry, or the next used descriptor; a split virtqueue starts from the index in its
 *     used ring instead
 * @param isAtUsedIndex whether a split virtqueue starts at the index in its used ring, in place of {@code nextAvail}.
 *     This is the position of a device that ended without notice, because a device that serves requests in order has no
 *     other ones in flight
 */
public record VirtqueuePosition(int nextAvail, int nextUsed, boolean isAtUsedIndex) {
    /** The position of a split virtqueue whose device ended without notice. */
    public static final VirtqueuePosition AT_USED_INDEX = new VirtqueuePosition(0, 0, true);

    /** The position of a virtqueue whose device stopped, or that is new. */
    public VirtqueuePosition(int nextAvail, int nextUsed) {
        this(nextAvail, nextUsed, false);
    }
}
