package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/**
 * The device's side of a virtqueue (VIRTIO 1.3 §2.6), whatever its format. Serves buffers in the order in which they
 * are available, one at a time: {@link #hasNext}, {@link #collect}, {@link #take}, {@link #use}; then {@link #publish}
 * makes all that was used visible at once, and {@link #rearm} asks for the next kick or {@link #suppressKicks} for none.
 *
 * <p>Each used buffer gets an element of its own, in the order of the buffers. With VIRTIO_F_IN_ORDER one element could
 * stand for many (§2.7.9, §2.8.8), but says of all but the last that they were written completely.
 */
public abstract sealed class Virtqueue permits SplitVirtqueue, PackedVirtqueue {
    /** A virtqueue in guest memory, of the format that was negotiated. */
    public static Virtqueue of(VirtqueueConfig setup) throws InvalidVirtqueueException, IotlbMissException {
        return isPacked(setup.features()) ? PackedVirtqueue.of(setup) : SplitVirtqueue.of(setup);
    }

    /** How many bytes the record of the requests under way takes. */
    public static long inflightBytes(long features, int queueSize) {
        return isPacked(features) ? PackedInflightRegion.bytes(queueSize) : SplitInflightRegion.bytes(queueSize);
    }

    private static boolean isPacked(long features) {
        return (features & VirtioSpec.VIRTIO_F_RING_PACKED) != 0;
    }

    /** Whether a buffer is available, or one that a predecessor took and did not use. Looks at the ring. */
    public abstract boolean hasNext();

    /**
     * Collects the elements of the available buffer that {@link #hasNext} saw; it stays available.
     *
     * @return null, or what is wrong with it
     */
    public abstract VirtqueueFault collect(ScatterGatherList chain);

    /**
     * Tells that the buffer that was collected is about to be written to: should we end before it is used, whoever comes
     * after us knows.
     */
    public abstract void take();

    /** Takes {@link #take} back: the buffer stays available. */
    public abstract void giveBack();

    /** Uses the buffer that was taken, not visible yet. */
    public abstract void use(int length);

    /** Makes visible what has been used: whether the driver wants to be notified of it. */
    public abstract boolean publish();

    /** Asks the driver to kick for the next buffer: whether one has come in the meantime, without a kick. */
    public abstract boolean rearm();

    /** Asks the driver for no kicks, until {@link #rearm}: the ring will be looked at anyway. */
    public abstract void suppressKicks();

    /**
     * Where a later queue goes on, in the form of SET_VRING_BASE: behind the last buffer whose use is visible.
     */
    public abstract int base();

    /**
     * A part of the virtqueue.
     *
     * @param access what the device does there, by {@link org.vhostuserrng.transport.memory.Iotlb}'s names
     */
    public static MemorySegment area(
            VirtqueueAddressSpace memory, String name, long address, long length, int alignment, int access)
            throws InvalidVirtqueueException, IotlbMissException {
        MemorySegment area = memory.part(address, length, access);
        if (area == null) {
            throw new InvalidVirtqueueException(name + " at " + Long.toHexString(address)
                    + (memory.isDenied()
                            ? " is where the IOMMU does not let the device"
                            : " is not in guest memory, in one piece"));
        }
        if (area.address() % alignment != 0) {
            throw new InvalidVirtqueueException(name + " at " + Long.toHexString(address) + " is not aligned");
        }
        return area;
    }
}
