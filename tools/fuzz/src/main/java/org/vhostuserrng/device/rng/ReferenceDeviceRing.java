package org.vhostuserrng.device.rng;

/**
 * The device side of a virtqueue, implemented a second time and as simply as possible: no budgets, no native memory,
 * and a driver that does not run concurrently. It accesses memory in the same order as the device, because a buffer may
 * overlap the ring.
 */
abstract class ReferenceDeviceRing {
    final ReferenceGuestMemory memory;
    final int size;
    final boolean indirect;
    final boolean eventIdx;

    ReferenceDeviceRing(ReferenceGuestMemory memory, FuzzedRingConfig config) {
        this.memory = memory;
        this.size = config.size();
        this.indirect = config.indirect();
        this.eventIdx = config.eventIdx();
    }

    /** Whether a buffer is available. */
    abstract boolean hasNext();

    /** The next available buffer, which stays available; null if it is malformed. */
    abstract ReferenceBufferChain peek();

    /** Pops the buffer of the last {@link #peek} and adds it to the used ring, not yet visible to the driver. */
    abstract void addUsed(int length);

    /** Makes used buffers visible; returns whether the driver wants a notification. */
    abstract boolean publishUsed();

    /** Asks the driver for available buffer notifications. */
    abstract void enableNotification();

    /** Asks the driver for no available buffer notifications. */
    abstract void disableNotification();

    /** The base from which a restarted virtqueue continues. */
    abstract int base();
}
