package org.vhostuserrng.device.rng;

/**
 * What a virtqueue's device has to do, written a second time and as simply as it can be said: without bounds to its time,
 * without native memory, one driver that stands still meanwhile. In the order in which the device does it, as a buffer
 * may lie where the ring does.
 */
abstract class ReferenceDeviceRing {
    final ReferenceGuestMemory memory;
    final int size;
    final boolean indirect;
    final boolean eventIdx;

    ReferenceDeviceRing(ReferenceGuestMemory memory, FuzzedRingConfig shape) {
        this.memory = memory;
        this.size = shape.size();
        this.indirect = shape.indirect();
        this.eventIdx = shape.eventIdx();
    }

    /** Whether a buffer is available. */
    abstract boolean hasNext();

    /** The available buffer, or null if it is malformed. */
    abstract ReferenceBufferChain walk();

    /** Uses the buffer that was walked. */
    abstract void use(int length);

    /** Makes visible what was used: whether the driver is to be notified. */
    abstract boolean publish();

    /** Asks for a kick. */
    abstract void rearm();

    /** Asks for no kicks. */
    abstract void suppressKicks();

    /** Where a later queue goes on. */
    abstract int base();
}
