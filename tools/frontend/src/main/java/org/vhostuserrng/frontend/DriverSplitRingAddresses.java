package org.vhostuserrng.frontend;

/**
 * Where a split virtqueue lies (VIRTIO 1.4, section 2.7), in guest physical addresses.
 *
 * @param queueSize descriptors, 1 to 32768
 * @param descriptorTable a multiple of 16
 * @param availableRing a multiple of 2
 * @param usedRing a multiple of 4
 */
public record DriverSplitRingAddresses(int queueSize, long descriptorTable, long availableRing, long usedRing)
        implements DriverRingAddresses {
    private static final int DESCRIPTOR_TABLE_ALIGNMENT = 16;
    private static final int USED_RING_ALIGNMENT = 4;

    public DriverSplitRingAddresses {
        if (queueSize < 1 || queueSize > DriverVirtioSpec.VIRTQ_MAX_SIZE) {
            throw new IllegalArgumentException("queue size " + queueSize + " is not in 1..32768");
        }
    }

    /** The three parts one behind the other, the first at {@code guestAddress} rounded up. */
    public static DriverSplitRingAddresses contiguous(long guestAddress, int queueSize) {
        long descriptorTable = DriverRingAddresses.roundUp(guestAddress, DESCRIPTOR_TABLE_ALIGNMENT);
        long availableRing = descriptorTable + descriptorTableSize(queueSize);
        long usedRing = DriverRingAddresses.roundUp(availableRing + availableRingSize(queueSize), USED_RING_ALIGNMENT);
        return new DriverSplitRingAddresses(queueSize, descriptorTable, availableRing, usedRing);
    }

    @Override
    public long descriptorArea() {
        return descriptorTable;
    }

    @Override
    public long driverArea() {
        return availableRing;
    }

    @Override
    public long deviceArea() {
        return usedRing;
    }

    @Override
    public long endAddress() {
        return usedRing + usedRingSize(queueSize);
    }

    /** Bytes of the descriptor table. */
    public static long descriptorTableSize(int queueSize) {
        return (long) DriverVirtioSpec.VIRTQ_DESC_SIZE * queueSize;
    }

    /** Bytes of the available ring: flags, idx, the ring, used_event. */
    public static long availableRingSize(int queueSize) {
        return 6 + 2L * queueSize;
    }

    /** Bytes of the used ring: flags, idx, the ring, avail_event. */
    public static long usedRingSize(int queueSize) {
        return 6 + (long) DriverVirtioSpec.VIRTQ_USED_ELEM_SIZE * queueSize;
    }
}
