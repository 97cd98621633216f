package org.vhostuserrng.device.rng;

/**
 * An independent implementation of the device's side of a virtqueue. It is as simple as possible: no limits of the work
 * per drain, no native memory and no concurrent driver. It accesses memory in the same order as the device under test,
 * because a buffer may overlap the ring.
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

    /** Returns the next available buffer without popping it; null if it is malformed. */
    abstract ReferenceBufferChain peek();

    /** Pops the buffer of the last {@link #peek} and adds it to the used buffers, which the driver cannot see yet. */
    abstract void addUsed(int length);

    /** Makes the used buffers visible to the driver. Returns whether the driver requires a notification. */
    abstract boolean publishUsed();

    /** Enables available buffer notifications. */
    abstract void enableNotification();

    /** Disables available buffer notifications. */
    abstract void disableNotification();

    /** Returns the vring base with which a restarted virtqueue resumes. */
    abstract int base();
}
