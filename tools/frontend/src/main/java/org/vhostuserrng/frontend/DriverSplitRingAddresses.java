package org.vhostuserrng.frontend;

/**
 * Guest-physical addresses of the parts of a split virtqueue (VIRTIO 1.3 §2.7).
 *
 * @param queueSize number of descriptors, 1 to 32768
 * @param descriptorTable address of the descriptor table, 16-byte aligned
 * @param availableRing address of the available ring, 2-byte aligned
 * @param usedRing address of the used ring, 4-byte aligned
 */
public record DriverSplitRingAddresses(int queueSize, long descriptorTable, long availableRing, long usedRing)
        implements DriverRingAddresses {
    private static final int DESCRIPTOR_TABLE_ALIGNMENT = 16;
    private static final int USED_RING_ALIGNMENT = 4;

    public DriverSplitRingAddresses {
        if (queueSize < 1 || queueSize > DriverVirtqueueConstants.VIRTQ_MAX_SIZE) {
            throw new IllegalArgumentException("queue size " + queueSize + " is not in 1..32768");
        }
    }

    /**
     * Lays out the three parts one after the other, from the first aligned address at or after {@code guestAddress}.
     */
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

    /** Size of the descriptor table in bytes. */
    public static long descriptorTableSize(int queueSize) {
        return (long) DriverVirtqueueConstants.VIRTQ_DESC_SIZE * queueSize;
    }

    /** Size of the available ring in bytes: flags, idx, the entries, used_event. */
    public static long availableRingSize(int queueSize) {
        return 6 + 2L * queueSize;
    }

    /** Size of the used ring in bytes: flags, idx, the elements, avail_event. */
    public static long usedRingSize(int queueSize) {
        return 6 + (long) DriverVirtqueueConstants.VIRTQ_USED_ELEM_SIZE * queueSize;
    }
}
