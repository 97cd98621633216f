package org.vhostuserrng.frontend;

/** Where the three parts of a virtqueue lie (VIRTIO 1.4, section 2.6), in guest physical addresses. */
public sealed interface DriverRingAddresses permits DriverSplitRingAddresses, DriverPackedRingAddresses {
    /** Descriptors, 1 to 32768. */
    int queueSize();

    long descriptorArea();

    long driverArea();

    long deviceArea();

    /** The first guest physical address behind all parts. */
    long endAddress();

    /** The next multiple of {@code alignment}, which is a power of two. */
    static long roundUp(long address, int alignment) {
        return (address + alignment - 1) & -alignment;
    }
}
