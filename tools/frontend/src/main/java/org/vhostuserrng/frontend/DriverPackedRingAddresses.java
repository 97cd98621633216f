package org.vhostuserrng.frontend;

/**
 * Where a packed virtqueue lies (VIRTIO 1.4, section 2.8), in guest physical addresses.
 *
 * @param queueSize descriptors, 1 to 32768, not necessarily a power of two
 * @param descriptorRing a multiple of 16
 * @param driverEventSuppression a multiple of 4
 * @param deviceEventSuppression a multiple of 4
 */
public record DriverPackedRingAddresses(
        int queueSize, long descriptorRing, long driverEventSuppression, long deviceEventSuppression)
        implements DriverRingAddresses {
    private static final int DESCRIPTOR_RING_ALIGNMENT = 16;

    public DriverPackedRingAddresses {
        if (queueSize < 1 || queueSize > DriverVirtioSpec.VIRTQ_MAX_SIZE) {
            throw new IllegalArgumentException("queue size " + queueSize + " is not in 1..32768");
        }
    }

    /** The three parts one behind the other, the first at {@code guestAddress} rounded up. */
    public static DriverPackedRingAddresses contiguous(long guestAddress, int queueSize) {
        long descriptorRing = DriverRingAddresses.roundUp(guestAddress, DESCRIPTOR_RING_ALIGNMENT);
        long driverEvent = descriptorRing + descriptorRingSize(queueSize);
        return new DriverPackedRingAddresses(
                queueSize, descriptorRing, driverEvent, driverEvent + DriverVirtioSpec.PVIRTQ_EVENT_SUPPRESS_SIZE);
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
        return deviceEventSuppression + DriverVirtioSpec.PVIRTQ_EVENT_SUPPRESS_SIZE;
    }

    /** Bytes of the descriptor ring. */
    public static long descriptorRingSize(int queueSize) {
        return (long) DriverVirtioSpec.VIRTQ_DESC_SIZE * queueSize;
    }
}
