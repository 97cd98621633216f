package org.vhostuserrng.frontend;

/** Guest-physical addresses of the three areas of a virtqueue (VIRTIO 1.3 §2.6). */
public sealed interface DriverRingAddresses permits DriverSplitRingAddresses, DriverPackedRingAddresses {
    /** Number of descriptors, 1 to 32768. */
    int queueSize();

    long descriptorArea();

    long driverArea();

    long deviceArea();

    /** The first guest-physical address after all areas. */
    long endAddress();

    /** Rounds up to a multiple of {@code alignment}, a power of two. */
    static long roundUp(long address, int alignment) {
        return (address + alignment - 1) & -alignment;
    }
}
