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

/** The device's side of a split virtqueue (VIRTIO 1.3 §2.7). */
public final class SplitVirtqueue extends Virtqueue {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    // §2.7.6: struct virtq_avail { le16 flags; le16 idx; le16 ring[size]; le16 used_event; }
    // §2.7.8: struct virtq_used { le16 flags; le16 idx; struct { le32 id; le32 len; } ring[size]; le16 avail_event; }
    private static final int FLAGS = 0;
    private static final int IDX = 2;
    private static final int RING = 4;
    private static final int HEAD_BYTES = 2;
    private static final int USED_BYTES = 8;
    private static final int USED_LEN = 4;
    private static final int EVENT_BYTES = 2;

    private static final int DESCRIPTOR_ALIGNMENT = 16;
    private static final int AVAILABLE_ALIGNMENT = 2;
    private static final int USED_ALIGNMENT = 4;

    private final MemorySegment avail;
    private final MemorySegment used;
    private final int size;
    private final boolean eventIdx;
    private final SplitDescriptorChainReader walk;
    private final VirtqueueDirtyLogger writes;
    private final long usedEvent;
    private final long availEvent;
    /** Null if nobody wants a record. */
    private final SplitInflightRegion inflight;

    /** Indices count modulo 2^16; kept in their lower 16 bits. */
    private int nextAvail;

    private int nextUsed;
    private int publishedUsed;

    /** How many heads the driver's index says there are. */
    private int available;

    /** Of the chain that was collected. */
    private int head;

    /** What was last written, or that nothing was. */
    private int usedFlags = -1;

    private SplitVirtqueue(VirtqueueConfig setup, MemorySegment table, MemorySegment avail, MemorySegment used)
            throws InvalidVirtqueueException {
        this.avail = avail;
        this.used = used;
        this.size = setup.size();
        this.eventIdx = (setup.features() & VirtioSpec.VIRTIO_F_EVENT_IDX) != 0;
        boolean indirect = (setup.features() & VirtioSpec.VIRTIO_F_INDIRECT_DESC) != 0;
        this.walk = new SplitDescriptorChainReader(table, size, setup.memory(), indirect);
        this.writes = setup.writes();
        this.usedEvent = RING + (long) size * HEAD_BYTES;
        this.availEvent = RING + (long) size * USED_BYTES;
        this.nextAvail = setup.base();
        this.nextUsed = Short.toUnsignedInt(used.get(LE16, IDX));
        this.publishedUsed = nextUsed;
        this.inflight = setup.inflight() == null ? null : SplitInflightRegion.open(setup.inflight(), size, nextUsed);
        if (inflight != null && inflight.isContinued()) {
            goOn();
        }
    }

    /**
     * Behind the last buffer that a predecessor took; what SET_VRING_BASE said does not know of those. If it served them
     * in order they are in the available ring still, where they are better off: a queue can be stopped before they are
     * served, and others than a successor with the same record can go on.
     */
    private void goOn() {
        int[] underWay = inflight.resubmitted();
        nextAvail = nextUsed;
        int found = 0;
        while (found < underWay.length && headAt(nextUsed + found) == underWay[found]) {
            found++;
        }
        if (found == underWay.length) {
            inflight.giveAllBack();
        } else {
            nextAvail = (nextUsed + underWay.length) & 0xffff;
        }
    }

    private int headAt(int position) {
        return Short.toUnsignedInt(avail.get(LE16, RING + (long) (position & (size - 1)) * HEAD_BYTES));
    }

    /** A virtqueue in guest memory. Reads the used index, which a predecessor may have left behind. */
    public static SplitVirtqueue of(VirtqueueConfig setup) throws InvalidVirtqueueException, IotlbMissException {
        int size = setup.size();
        if (size < 1 || size > VirtioSpec.LARGEST_QUEUE || Integer.bitCount(size) != 1) {
            throw new InvalidVirtqueueException(
                    "queue size " + Integer.toUnsignedString(size) + ", expected a power of 2 up to 32768");
        }
        if (setup.base() < 0 || setup.base() > 0xffff) {
            throw new InvalidVirtqueueException(
                    "base " + Integer.toUnsignedString(setup.base()) + ", expected 16 bits");
        }
        VirtqueueConfig.QueueAreas areas = setup.areas();
        VirtqueueAddressSpace memory = setup.memory();
        // §2.7: sizes and alignments of the parts; the events at the ends are always there.
        MemorySegment table = area(
                memory,
                "descriptor table",
                areas.descriptorArea(),
                (long) size * VirtioSpec.DESCRIPTOR_BYTES,
                DESCRIPTOR_ALIGNMENT,
                Iotlb.READ);
        MemorySegment avail = area(
                memory,
                "available ring",
                areas.driverArea(),
                RING + (long) size * HEAD_BYTES + EVENT_BYTES,
                AVAILABLE_ALIGNMENT,
                Iotlb.READ);
        // What is read of it, to go on where a predecessor ended, is what a device wrote.
        MemorySegment used = area(
                memory,
                "used ring",
                areas.deviceArea(),
                RING + (long) size * USED_BYTES + EVENT_BYTES,
                USED_ALIGNMENT,
                Iotlb.WRITE);
        return new SplitVirtqueue(setup, table, avail, used);
    }

    @Override
    public boolean hasNext() {
        if (inflight != null) {
            if (inflight.isFull()) {
                return false;
            }
            if (inflight.resubmits()) {
                return true;
            }
        }
        int idx = Short.toUnsignedInt(avail.get(LE16, IDX));
        VarHandle.acquireFence();
        available = (idx - nextAvail) & 0xffff;
        return available != 0;
    }

    @Override
    public VirtqueueFault collect(ScatterGatherList chain) {
        if (inflight != null && inflight.resubmits()) {
            head = inflight.nextResubmitted();
            return walk.collect(head, chain);
        }
        // Runaway check: between two indices there are at most as many heads as the queue has.
        if (available > size) {
            return VirtqueueFault.INDEX_JUMP;
        }
        head = headAt(nextAvail);
        return walk.collect(head, chain);
    }

    @Override
    public void take() {
        if (inflight != null) {
            inflight.take(head);
        }
    }

    @Override
    public void giveBack() {
        if (inflight != null) {
            inflight.giveBack(head);
        }
    }

    @Override
    public void use(int length) {
        long at = RING + (long) (nextUsed & (size - 1)) * USED_BYTES;
        used.set(LE32, at, head);
        used.set(LE32, at + USED_LEN, length);
        nextUsed = (nextUsed + 1) & 0xffff;
        if (inflight == null || inflight.use(head)) {
            nextAvail = (nextAvail + 1) & 0xffff;
        }
    }

    @Override
    public boolean publish() {
        if (nextUsed == publishedUsed) {
            return false;
        }
        int before = publishedUsed;
        publishedUsed = nextUsed;
        // §2.7.13: the elements are visible before the index, and the index before the driver's wish is looked at.
        VarHandle.releaseFence();
        used.set(LE16, IDX, (short) nextUsed);
        writes.ring(0, used.byteSize());
        if (inflight != null) {
            inflight.published(nextUsed);
        }
        VarHandle.fullFence();
        // §2.7.7.2: used_event if VIRTIO_F_EVENT_IDX was negotiated (the flag is ignored then), else the flag.
        if (eventIdx) {
            return VirtioSpec.needEvent(Short.toUnsignedInt(avail.get(LE16, usedEvent)), nextUsed, before);
        }
        return (avail.get(LE16, FLAGS) & VirtioSpec.VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
    }

    @Override
    public boolean rearm() {
        if (eventIdx) {
            used.set(LE16, availEvent, (short) nextAvail);
            writes.ring(availEvent, EVENT_BYTES);
        } else {
            writeUsedFlags(0);
        }
        // §2.7.10: the wish is visible before the ring is looked at once more, or a kick gets lost.
        VarHandle.fullFence();
        return hasNext();
    }

    @Override
    public void suppressKicks() {
        // VIRTIO 1.3 §2.7.10.2: with VIRTIO_F_EVENT_IDX flags MUST be 0; that avail_event stays behind is enough.
        if (!eventIdx) {
            writeUsedFlags(VirtioSpec.VIRTQ_USED_F_NO_NOTIFY);
        }
    }

    private void writeUsedFlags(int flags) {
        if (flags != usedFlags) {
            used.set(LE16, FLAGS, (short) flags);
            writes.ring(FLAGS, IDX);
            usedFlags = flags;
        }
    }

    /** Index of the next head, 16 bits. */
    @Override
    public int base() {
        int invisible = nextUsed - publishedUsed;
        return (nextAvail - invisible) & 0xffff;
    }
}
