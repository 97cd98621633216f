package org.vhostuserrng.frontend;

/**
 * Guest-physical addresses of the parts of a packed virtqueue (VIRTIO 1.3 §2.8).
 *
 * @param queueSize number of descriptors, 1 to 32768, not necessarily a power of two
 * @param descriptorRing address of the descriptor ring, 16-byte aligned
 * @param driverEventSuppression address of the driver event suppression structure, 4-byte aligned
 * @param deviceEventSuppression address of the device event suppression structure, 4-byte aligned
 */
public record DriverPackedRingAddresses(
        int queueSize, long descriptorRing, long driverEventSuppression, long deviceEventSuppression)
        implements DriverRingAddresses {
    private static final int DESCRIPTOR_RING_ALIGNMENT = 16;

    public DriverPackedRingAddresses {
        if (queueSize < 1 || queueSize > DriverVirtqueueConstants.VIRTQ_MAX_SIZE) {
            throw new IllegalArgumentException("queue size " + queueSize + " is not in 1..32768");
        }
    }

    /**
     * Lays out the three parts one after the other, from the first aligned address at or after {@code guestAddress}.
     */
    public static DriverPackedRingAddresses contiguous(long guestAddress, int queueSize) {
        long descriptorRing = DriverRingAddresses.roundUp(guestAddress, DESCRIPTOR_RING_ALIGNMENT);
        long driverEvent = descriptorRing + descriptorRingSize(queueSize);
        return new DriverPackedRingAddresses(
                queueSize,
                descriptorRing,
                driverEvent,
                driverEvent + DriverVirtqueueConstants.PVIRTQ_EVENT_SUPPRESS_SIZE);
    }

    @Override
    public long descriptorArea() {
        return descriptorRing;
    }

    @Override
    public long driverArea() {
        return driverEventSuppression;
    }

    @Override
    public long deviceArea() {
        return deviceEventSuppression;
    }

    @Override
    public long endAddress() {
        return deviceEventSuppression + DriverVirtqueueConstants.PVIRTQ_EVENT_SUPPRESS_SIZE;
    }

    /** Size of the descriptor ring in bytes. */
    public static long descriptorRingSize(int queueSize) {
        return (long) DriverVirtqueueConstants.VIRTQ_DESC_SIZE * queueSize;
    }
}
