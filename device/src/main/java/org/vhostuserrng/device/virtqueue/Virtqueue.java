package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The device's side of a split or packed virtqueue (VIRTIO 1.3 §2.6). The device uses buffers in order, one at a time,
 * by calling {@link #hasAvailable}, {@link #peek}, {@link #pop} and {@link #addUsed}. Then {@link #publishUsed}
 * publishes all used elements at once, and {@link #enableNotifications} or {@link #disableNotifications} switches
 * available buffer notifications on or off. Confined to the loop's thread.
 *
 * <p>Each buffer gets a used element of its own, in order. VIRTIO_F_IN_ORDER permits one element for a batch of buffers
 * (§2.7.9, §2.8.8), but it would mean that all buffers before the last one were written completely.
 */
public abstract sealed class Virtqueue permits SplitVirtqueue, PackedVirtqueue {
    /** Starts a virtqueue of the negotiated format. */
    public static Virtqueue start(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException {
        boolean packed = (config.features() & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
        return packed ? PackedVirtqueue.startPacked(config) : SplitVirtqueue.startSplit(config);
    }

    /** Returns whether a buffer is available, or was left in flight by a previous process. Reads the ring. */
    public abstract boolean hasAvailable();

    /**
     * Estimates the number of available buffers, after {@link #hasAvailable} has returned true. A hostile driver can
     * make the estimate wrong.
     *
     * @param max at least 1
     * @return 1 to {@code max}
     */
    public abstract int estimateAvailable(int max);

    /**
     * Reads the descriptor chain of the next buffer, after {@link #hasAvailable} has returned true. The buffer stays
     * available.
     *
     * @param buffers receives the buffer's memory
     * @return null, or the fault
     */
    public abstract VirtqueueFault peek(ScatterGatherList buffers);

    /** Takes the peeked buffer, and records it as in flight. Must be called before the device writes to the buffer. */
    public abstract void pop();

    /** Undoes {@link #pop}: the buffer is available again. */
    public abstract void undoPop();

    /**
     * Adds a used element for the popped buffer. The driver cannot see the element before {@link #publishUsed}.
     *
     * @param length the number of bytes that were written to the buffer
     */
    public abstract void addUsed(int length);

    /** Publishes all added used elements. Returns whether the driver wants a used buffer notification. */
    public abstract boolean publishUsed();

    /**
     * Enables available buffer notifications. Returns whether a buffer is available now, for which the driver may not
     * have sent a notification.
     */
    public abstract boolean enableNotifications();

    /** Disables available buffer notifications until {@link #enableNotifications}. */
    public abstract void disableNotifications();

    /** Returns the position at which another device resumes: after the last published used element. */
    public abstract VirtqueuePosition position();

    /**
     * Maps an area of the virtqueue, and checks its alignment.
     *
     * @param name the name of the area, for error messages
     * @param access the device's access: READ, WRITE or both of {@link org.vhostuserrng.transport.memory.Iotlb}
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
