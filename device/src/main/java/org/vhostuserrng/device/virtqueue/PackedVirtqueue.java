package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/**
 * The device's side of a packed virtqueue (VIRTIO 1.3 §2.8).
 *
 * <p>A position in the ring counts descriptors over two rounds, 0 to twice the Queue Size: the wrap counter is 1 in the
 * first round and 0 in the second. So a difference of positions is a number of descriptors, whatever the Queue Size.
 */
public final class PackedVirtqueue extends Virtqueue {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int RING_ALIGNMENT = 16;

    // §2.8.14: struct pvirtq_event_suppress { le16 { off : 15; wrap : 1 } desc; le16 { flags : 2 } flags; }, read and
    // written as one le32, so that desc and flags always belong together.
    private static final int EVENT_BYTES = 4;
    private static final int EVENT_ALIGNMENT = 4;
    private static final int EVENT_FLAGS_SHIFT = 16;
    private static final int EVENT_FLAGS = 3;

    // The form of a position in an event's desc, and in both halves of a base.
    private static final int INDEX = 0x7fff;
    private static final int WRAP = 0x8000;
    private static final int USED_SHIFT = 16;

    private final MemorySegment ring;
    private final MemorySegment driverEvent;
    private final MemorySegment deviceEvent;
    private final int size;
    private final long ringAddress;
    private final long deviceEventAddress;
    private final VirtqueueDirtyLogger writes;
    private final boolean eventIdx;
    private final PackedDescriptorChainReader walk;
    /** Null if nobody wants a record. */
    private final PackedInflightRegion inflight;
    /** Over what a predecessor left in the record; null if that was nothing. */
    private final PackedDescriptorChainReader resubmittedWalk;

    private int nextAvail;
    private int nextUsed;
    private int publishedUsed;

    /** The one of the two that collected last. */
    private PackedDescriptorChainReader collected;

    /** As {@link #hasNext} read them. */
    private int headFlags;

    private int eventWritten;
    private boolean eventKnown;

    private PackedVirtqueue(
            VirtqueueConfig setup, MemorySegment ring, MemorySegment driverEvent, MemorySegment deviceEvent)
            throws InvalidVirtqueueException {
        this.ring = ring;
        this.driverEvent = driverEvent;
        this.deviceEvent = deviceEvent;
        this.size = setup.size();
        this.ringAddress = setup.memory().guestAddress(setup.areas().descriptorArea());
        this.deviceEventAddress = setup.memory().guestAddress(setup.areas().deviceArea());
        this.writes = setup.writes();
        this.eventIdx = (setup.features() & VirtioSpec.VIRTIO_F_EVENT_IDX) != 0;
        boolean indirect = (setup.features() & VirtioSpec.VIRTIO_F_INDIRECT_DESC) != 0;
        this.walk = new PackedDescriptorChainReader(ring, size, setup.memory(), indirect);
        int base = setup.base();
        this.nextAvail = position(base & 0xffff);
        // Some front-ends give the available half only: then nothing was under way.
        this.nextUsed = base >>> USED_SHIFT == 0 ? nextAvail : position(base >>> USED_SHIFT);
        this.inflight = setup.inflight() == null
                ? null
                : PackedInflightRegion.open(setup.inflight(), ring, size, toDesc(nextUsed));
        if (inflight != null && inflight.isContinued()) {
            // Behind all that a predecessor took; SET_VRING_BASE cannot know, the ring itself does not tell.
            this.nextUsed = position(inflight.used());
            this.nextAvail = advance(nextUsed, inflight.resubmissions().descriptors());
            hideUnpublished();
        }
        this.resubmittedWalk =
                inflight == null ? null : inflight.resubmissions().walk(setup.memory(), indirect);
        this.publishedUsed = nextUsed;
        if (distance(nextUsed, nextAvail) > size) {
            throw new InvalidVirtqueueException(
                    "base " + Integer.toHexString(base) + ", expected at most " + size + " descriptors under way");
        }
    }

    /** A packed virtqueue in guest memory. */
    public static PackedVirtqueue of(VirtqueueConfig setup) throws InvalidVirtqueueException, IotlbMissException {
        int size = setup.size();
        if (size < 1 || size > VirtioSpec.LARGEST_QUEUE) {
            throw new InvalidVirtqueueException(
                    "queue size " + Integer.toUnsignedString(size) + ", expected 1 to 32768");
        }
        VirtqueueConfig.QueueAreas areas = setup.areas();
        VirtqueueAddressSpace memory = setup.memory();
        // §2.8.10.1: sizes and alignments of the parts.
        MemorySegment ring = area(
                memory,
                "descriptor ring",
                areas.descriptorArea(),
                (long) size * VirtioSpec.DESCRIPTOR_BYTES,
                RING_ALIGNMENT,
                Iotlb.READ | Iotlb.WRITE);
        MemorySegment driverEvent =
                area(memory, "driver event suppression", areas.driverArea(), EVENT_BYTES, EVENT_ALIGNMENT, Iotlb.READ);
        MemorySegment deviceEvent =
                area(memory, "device event suppression", areas.deviceArea(), EVENT_BYTES, EVENT_ALIGNMENT, Iotlb.WRITE);
        return new PackedVirtqueue(setup, ring, driverEvent, deviceEvent);
    }

    /**
     * A predecessor that ended before it made its last batch visible has written all of it but the beginning, which
     * hides the rest. As what is resubmitted now may become visible piece by piece, none of that may look used.
     */
    private void hideUnpublished() {
        for (int at = nextUsed; at != nextAvail; at = advance(at, 1)) {
            int flags = Short.toUnsignedInt(ring.get(LE16, offset(at) + PackedDescriptorChainReader.FLAGS));
            int available = wrap(at)
                    ? (flags | VirtioSpec.VIRTQ_DESC_F_AVAIL) & ~VirtioSpec.VIRTQ_DESC_F_USED
                    : (flags | VirtioSpec.VIRTQ_DESC_F_USED) & ~VirtioSpec.VIRTQ_DESC_F_AVAIL;
            if (flags != available) {
                ring.set(LE16, offset(at) + PackedDescriptorChainReader.FLAGS, (short) available);
                logRing();
            }
        }
        VarHandle.releaseFence();
    }

    // Front-ends give the address of either area for the log: of a packed virtqueue the device writes both.
    private void logRing() {
        writes.ring(0, ring.byteSize());
        writes.buffer(ringAddress, ring.byteSize());
    }

    @Override
    public boolean hasNext() {
        if (inflight != null && inflight.resubmissions().hasNext()) {
            return true;
        }
        headFlags = Short.toUnsignedInt(ring.get(LE16, offset(nextAvail) + PackedDescriptorChainReader.FLAGS));
        VarHandle.acquireFence();
        return PackedDescriptorChainReader.isAvailable(headFlags, wrap(nextAvail)) && room() > 0;
    }

    /** How many descriptors the driver can have made available: those that are not used yet, as far as it can see. */
    private int room() {
        return size - distance(publishedUsed, nextAvail);
    }

    @Override
    public VirtqueueFault collect(ScatterGatherList chain) {
        if (inflight != null && inflight.resubmissions().hasNext()) {
            collected = resubmittedWalk;
            return inflight.resubmissions().collect(resubmittedWalk, chain);
        }
        collected = walk;
        return walk.collect(index(nextAvail), wrap(nextAvail), headFlags, room(), chain);
    }

    @Override
    public void take() {
        if (inflight != null) {
            inflight.take(ring, index(nextAvail), collected.length());
        }
    }

    @Override
    public void giveBack() {
        if (inflight != null) {
            inflight.giveBack();
        }
    }

    @Override
    public void use(int length) {
        long at = offset(nextUsed);
        ring.set(LE16, at + PackedDescriptorChainReader.ID, (short) collected.id());
        ring.set(LE32, at + PackedDescriptorChainReader.LEN, length);
        // The driver looks for the first one before all others, so that one is made visible last.
        if (nextUsed != publishedUsed) {
            ring.set(LE16, at + PackedDescriptorChainReader.FLAGS, usedFlags(nextUsed));
        }
        // VIRTIO 1.3 §2.8.6: one used descriptor for the whole list, then the device skips the list's length.
        nextUsed = advance(nextUsed, collected.length());
        if (inflight == null || inflight.use()) {
            nextAvail = advance(nextAvail, collected.length());
        }
    }

    @Override
    public boolean publish() {
        if (nextUsed == publishedUsed) {
            return false;
        }
        int first = publishedUsed;
        publishedUsed = nextUsed;
        if (inflight != null) {
            inflight.publishing(toDesc(nextUsed));
        }
        // VIRTIO 1.3 §2.8.22: the first one is visible after all others, and before the driver's wish is looked at.
        VarHandle.releaseFence();
        ring.set(LE16, offset(first) + PackedDescriptorChainReader.FLAGS, usedFlags(first));
        logRing();
        if (inflight != null) {
            inflight.published();
        }
        VarHandle.fullFence();
        return interruptWanted(first);
    }

    /** Whether the driver wants to know of the descriptors from {@code first} on having been used. */
    private boolean interruptWanted(int first) {
        int event = driverEvent.get(LE32, 0);
        return switch ((event >>> EVENT_FLAGS_SHIFT) & EVENT_FLAGS) {
            case VirtioSpec.RING_EVENT_FLAGS_ENABLE -> true;
            case VirtioSpec.RING_EVENT_FLAGS_DISABLE -> false;
            // VIRTIO 1.3 §2.8.10: DESC is valid only with VIRTIO_F_EVENT_IDX, and 3 not at all; what is not valid, such
            // as a descriptor outside the ring, rather makes an interrupt too many.
            case VirtioSpec.RING_EVENT_FLAGS_DESC ->
                !eventIdx
                        || (event & INDEX) >= size
                        || distance(first, toPosition(event)) < distance(first, publishedUsed);
            default -> true;
        };
    }

    @Override
    public boolean rearm() {
        writeEvent(
                eventIdx
                        ? VirtioSpec.RING_EVENT_FLAGS_DESC << EVENT_FLAGS_SHIFT | toDesc(nextAvail)
                        : VirtioSpec.RING_EVENT_FLAGS_ENABLE << EVENT_FLAGS_SHIFT);
        // §2.8.21: the wish is visible before the ring is looked at once more, or a kick gets lost.
        VarHandle.fullFence();
        return hasNext();
    }

    @Override
    public void suppressKicks() {
        writeEvent(VirtioSpec.RING_EVENT_FLAGS_DISABLE << EVENT_FLAGS_SHIFT);
    }

    private void writeEvent(int event) {
        if (event != eventWritten || !eventKnown) {
            deviceEvent.set(LE32, 0, event);
            writes.buffer(deviceEventAddress, EVENT_BYTES);
            eventWritten = event;
            eventKnown = true;
        }
    }

    /** The next available descriptor in the lower half, the next used one in the upper half, each with its wrap counter. */
    @Override
    public int base() {
        int invisible = distance(publishedUsed, nextUsed);
        int avail = advance(nextAvail, 2 * size - invisible);
        return toDesc(publishedUsed) << USED_SHIFT | toDesc(avail);
    }

    private short usedFlags(int position) {
        // VIRTIO 1.3 §2.8.1: AVAIL and USED both match the wrap counter; §2.8.3: WRITE says that there is data.
        int used = wrap(position) ? VirtioSpec.VIRTQ_DESC_F_AVAIL | VirtioSpec.VIRTQ_DESC_F_USED : 0;
        return (short) (VirtioSpec.VIRTQ_DESC_F_WRITE | used);
    }

    private int position(int desc) throws InvalidVirtqueueException {
        if ((desc & INDEX) >= size) {
            throw new InvalidVirtqueueException("base " + Integer.toHexString(desc) + ", expected an index below "
                    + size + " and its wrap counter");
        }
        return toPosition(desc);
    }

    private int toPosition(int desc) {
        return (desc & INDEX) + ((desc & WRAP) != 0 ? 0 : size);
    }

    private int toDesc(int position) {
        return index(position) | (wrap(position) ? WRAP : 0);
    }

    private boolean wrap(int position) {
        return position < size;
    }

    private int index(int position) {
        return position < size ? position : position - size;
    }

    private long offset(int position) {
        return (long) index(position) * VirtioSpec.DESCRIPTOR_BYTES;
    }

    private int advance(int position, int descriptors) {
        int sum = position + descriptors;
        return sum < 2 * size ? sum : sum - 2 * size;
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + 2 * size;
    }
}
