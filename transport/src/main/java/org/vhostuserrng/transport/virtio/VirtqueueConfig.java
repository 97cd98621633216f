package org.vhostuserrng.transport.virtio;

import java.util.function.LongSupplier;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;

/**
 * The configuration with which a virtqueue starts, from the guest's driver and the VMM. Not validated.
 *
 * @param index index of the virtqueue in its device
 * @param size Queue Size: the number of descriptors
 * @param position the position at which the virtqueue resumes; VIRTIO's initial position for a new virtqueue
 * @param features the feature bits that the driver accepted
 * @param areas the addresses of the virtqueue's areas
 * @param memory guest memory by the addresses that the driver uses, for this run of the virtqueue only
 * @param notifier sends the used buffer notifications
 * @param dirtyLogger logs the device's writes to guest memory
 * @param clock returns the loop's time in nanoseconds since the loop was opened, never negative
 * @param inflight opens the record of in-flight requests, which outlives this process; null if there is no such record
 * @param packedPosition the record of a packed virtqueue's position, which outlives this process; null if there is no
 *     such record, or if {@code inflight} contains the position
 */
public record VirtqueueConfig(
        int index,
        int size,
        VirtqueuePosition position,
        long features,
        Areas areas,
        VirtqueueAddressSpace memory,
        UsedBufferNotifier notifier,
        VirtqueueDirtyLogger dirtyLogger,
        LongSupplier clock,
        InflightTrackerFactory inflight,
        PackedUsedPositionTracker packedPosition) {
    /**
     * The addresses of a virtqueue's areas (VIRTIO 1.3 §2.6), in its {@link VirtqueueAddressSpace}.
     *
     * @param descriptorArea the descriptor table (split), or the descriptor ring (packed)
     * @param driverArea the available ring (split), or the driver event suppression structure (packed)
     * @param deviceArea the used ring (split), or the device event suppression structure (packed)
     */
    public record Areas(long descriptorArea, long driverArea, long deviceArea) {}
}
