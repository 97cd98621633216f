package org.vhostuserrng.transport.virtio;

import java.util.function.LongSupplier;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;

/**
 * Everything that a virtqueue needs to start, as configured by the guest's driver and the VMM. Nothing is validated.
 *
 * @param index index of the virtqueue in its device
 * @param size Queue Size: the number of descriptors
 * @param position the position at which the virtqueue resumes; a new virtqueue has VIRTIO's initial position
 * @param features the features that the driver accepted
 * @param areas the location of the virtqueue
 * @param memory guest memory by the driver's addresses, for this run of the virtqueue only
 * @param notifier notifies the driver of used buffers
 * @param dirtyLogger logs the device's writes to guest memory
 * @param clock the loop's time: nanoseconds since the loop was opened, never negative
 * @param inflight opens the record of in-flight requests that outlives this process; null for none
 * @param packedPosition records the position of a packed virtqueue beyond this process; null for none, or if
 *     {@code inflight} does
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
        PackedPositionTracker packedPosition) {
    /**
     * The areas of a virtqueue (VIRTIO 1.3 §2.6), by addresses of its {@link VirtqueueAddressSpace}.
     *
     * @param descriptorArea the descriptor table, or the descriptor ring
     * @param driverArea the available ring, or the driver event suppression structure
     * @param deviceArea the used ring, or the device event suppression structure
     */
    public record Areas(long descriptorArea, long driverArea, long deviceArea) {}
}
