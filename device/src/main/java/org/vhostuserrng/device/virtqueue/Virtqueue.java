package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The device's side of a virtqueue (VIRTIO 1.3 §2.6) of either format. Serves buffers in order, one at a time:
 * {@link #hasAvailable}, {@link #peek}, {@link #pop}, {@link #addUsed}. Then {@link #publishUsed} publishes all used
 * elements at once, and {@link #enableNotifications} or {@link #disableNotifications} controls the driver's
 * notifications. Confined to the loop's thread.
 *
 * <p>Every buffer has a separate used element, in order. VIRTIO_F_IN_ORDER would allow one element for a batch (§2.7.9,
 * §2.8.8), but that element would state that all buffers before the last are written completely.
 */
public abstract sealed class Virtqueue permits SplitVirtqueue, PackedVirtqueue {
    /** Starts a virtqueue of the negotiated format. */
    public static Virtqueue start(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException {
        boolean packed = (config.features() & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
        return packed ? PackedVirtqueue.startPacked(config) : SplitVirtqueue.startSplit(config);
    }

    /** Whether a buffer is available or was left in flight by a predecessor. Reads the ring. */
    public abstract boolean hasAvailable();

    /**
     * Estimates how many buffers are available, after {@link #hasAvailable} returned true. The driver can make the
     * estimate wrong.
     *
     * @param max at least 1
     * @return 1 to {@code max}
     */
    public abstract int estimateAvailable(int max);

    /**
     * Reads the descriptor chain of the buffer that {@link #hasAvailable} found. The buffer stays available.
     *
     * @param buffers receives the buffer's memory
     * @return null, or the driver's violation
     */
    public abstract VirtqueueFault peek(ScatterGatherList buffers);

    /** Removes the peeked buffer from the available ring, and records it as in flight before it is written. */
    public abstract void pop();

    /** Undoes {@link #pop}: the buffer stays available. */
    public abstract void undoPop();

    /**
     * Adds a used element for the popped buffer. The driver cannot see it yet.
     *
     * @param length the number of bytes written
     */
    public abstract void addUsed(int length);

    /** Publishes the used elements. Returns whether the driver wants a used buffer notification. */
    public abstract boolean publishUsed();

    /**
     * Enables available buffer notifications. Returns whether a buffer has become available in the meantime, for which
     * there may be no notification.
     */
    public abstract boolean enableNotifications();

    /** Disables available buffer notifications until {@link #enableNotifications}. */
    public abstract void disableNotifications();

    /** The position at which a successor resumes: after the last published used element. */
    public abstract VirtqueuePosition position();

    /**
     * Maps an area of the virtqueue.
     *
     * @param access the device's access, by the constants of {@link org.vhostuserrng.transport.memory.Iotlb}
     */
    static MemorySegment mapArea(
            VirtqueueAddressSpace memory, String name, long address, long length, int alignment, int access)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        MemorySegment area = memory.mapArea(address, length, access);
        if (area == null) {
            throw new InvalidVirtqueueException(name + " at " + Long.toHexString(address)
                    + (memory.isDenied()
                            ? " is at an address where the IOMMU denies access"
                            : " is not in one region of guest memory: " + memory.describeOutside()));
        }
        if (area.address() % alignment != 0) {
            throw new InvalidVirtqueueException(
                    name + " at " + Long.toHexString(address) + " is not aligned to " + alignment + " bytes");
        }
        return area;
    }
}
