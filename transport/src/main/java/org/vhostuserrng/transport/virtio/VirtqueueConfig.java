package org.vhostuserrng.transport.virtio;

import java.util.function.LongSupplier;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;

/**
 * All that a virtqueue needs to run, as the guest's driver and the front-end configured it; nothing of it is validated.
 *
 * @param index which of the device's virtqueues
 * @param size Queue Size: the number of descriptors
 * @param base where the queue begins, in the form of SET_VRING_BASE: of a split virtqueue the 16-bit index of the next
 *     available entry; of a packed one the index and wrap counter of the next available descriptor in the lower half,
 *     of the next used one in the upper half
 * @param features those that the driver accepted
 * @param areas where the guest placed the virtqueue
 * @param memory the guest's memory as this queue's driver addresses it, for this run of the queue only
 * @param call how the driver is notified of used buffers
 * @param writes is told what the device has written
 * @param clock the loop's time: nanoseconds since it began, never negative
 * @param inflight where the requests under way are recorded, by this queue and the one before it, which may not have
 *     ended well; null if nobody wants a record
 */
public record VirtqueueConfig(
        int index,
        int size,
        int base,
        long features,
        QueueAreas areas,
        VirtqueueAddressSpace memory,
        UsedBufferNotifier call,
        VirtqueueDirtyLogger writes,
        LongSupplier clock,
        InflightArea inflight) {
    /**
     * The parts of a virtqueue (VIRTIO 1.3 §2.6), by addresses of its {@link VirtqueueAddressSpace}.
     *
     * @param descriptorArea the descriptor table, or the descriptor ring
     * @param driverArea the available ring, or the driver's event suppression
     * @param deviceArea the used ring, or the device's event suppression
     */
    public record QueueAreas(long descriptorArea, long driverArea, long deviceArea) {}

    /** A virtqueue without a record of the requests under way. */
    public VirtqueueConfig(
            int index,
            int size,
            int base,
            long features,
            QueueAreas areas,
            VirtqueueAddressSpace memory,
            UsedBufferNotifier call,
            VirtqueueDirtyLogger writes,
            LongSupplier clock) {
        this(index, size, base, features, areas, memory, call, writes, clock, null);
    }
}
