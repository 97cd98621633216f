package org.vhostuserrng.device.rng;

/**
 * An independent implementation of the device side of a virtqueue, as simple as possible: without budgets, native
 * memory or a concurrent driver. It accesses memory in the same order as the device, because a buffer may overlap the
 * ring.
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

    /** Makes the used buffers visible to the driver; returns whether the driver wants a notification. */
    abstract boolean publishUsed();

    /** Enables available buffer notifications. */
    abstract void enableNotification();

    /** Disables available buffer notifications. */
    abstract void disableNotification();

    /** The base at which a restarted virtqueue resumes. */
    abstract int base();
}
