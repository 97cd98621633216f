package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.SplitInflightTracker;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** The device's side of a split virtqueue (VIRTIO 1.3 §2.7). */
final class SplitVirtqueue extends Virtqueue {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    // §2.7.6: struct virtq_avail { le16 flags; le16 idx; le16 ring[size]; le16 used_event; }
    // §2.7.8: struct virtq_used { le16 flags; le16 idx; struct { le32 id; le32 len; } ring[size]; le16 avail_event; }
    private static final int FLAGS = 0;
    private static final int IDX = 2;
    private static final int RING = 4;
    private static final int AVAIL_ELEM_BYTES = 2;
    private static final int USED_ELEM_BYTES = 8;
    private static final int USED_ELEM_LEN = 4;
    private static final int EVENT_BYTES = 2;

    private static final int DESCRIPTOR_TABLE_ALIGNMENT = 16;
    private static final int AVAIL_ALIGNMENT = 2;
    private static final int USED_ALIGNMENT = 4;

    /** The value of {@link #usedFlags} if this process has not written the flags yet. */
    private static final int FLAGS_UNKNOWN = -1;

    private final MemorySegment avail;
    private final MemorySegment used;
    private final int size;
    private final boolean eventIdx;
    private final SplitDescriptorChainReader chainReader;
    private final VirtqueueDirtyLogger dirtyLogger;
    private final long usedEvent;
    private final long availEvent;
    /** The record of in-flight requests; null if they are not recorded. */
    private final SplitInflightTracker inflight;

    // Free-running indices modulo 2^16, in the lower 16 bits.
    private int nextAvail;
    private int nextUsed;
    private int publishedUsed;

    /** The number of available heads according to the idx field of the available ring; not validated. */
    private int available;

    /** The head of the peeked chain. */
    private int head;

    /** The flags last written to the used ring. */
    private int usedFlags = FLAGS_UNKNOWN;

    private SplitVirtqueue(VirtqueueConfig config, MemorySegment table, MemorySegment avail, MemorySegment used)
            throws InvalidVirtqueueException {
        this.avail = avail;
        this.used = used;
        this.size = config.size();
        this.eventIdx = (config.features() & VirtioConstants.VIRTIO_F_EVENT_IDX) != 0;
        boolean indirect = (config.features() & VirtioConstants.VIRTIO_F_INDIRECT_DESC) != 0;
        this.chainReader = new SplitDescriptorChainReader(table, size, config.memory(), indirect);
        this.dirtyLogger = config.dirtyLogger();
        this.usedEvent = RING + (long) size * AVAIL_ELEM_BYTES;
        this.availEvent = RING + (long) size * USED_ELEM_BYTES;
        this.nextUsed = Short.toUnsignedInt(used.get(LE16, IDX));
        this.nextAvail =
                config.position().isAtUsedIndex() ? nextUsed : config.position().nextAvail();
        this.publishedUsed = nextUsed;
        this.inflight = config.inflight() == null ? null : config.inflight().openSplit(size, nextUsed, this::headAt);
        if (inflight != null && inflight.isResumed()) {
            // Starts after the last head that the previous process popped, because the position does not include the
            // heads in flight.
            this.nextAvail = (nextUsed + inflight.resubmittedCount()) & 0xffff;
        }
    }

    private int headAt(int index) {
        return Short.toUnsignedInt(avail.get(LE16, RING + (long) (index & (size - 1)) * AVAIL_ELEM_BYTES));
    }

    /**
     * Starts the virtqueue. The used index is that in guest memory, because a previous process may have advanced it.
     */
    static SplitVirtqueue startSplit(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException {
        int size = config.size();
        if (size < 1 || size > VirtioConstants.MAX_QUEUE_SIZE || Integer.bitCount(size) != 1) {
            throw new InvalidVirtqueueException("queue size " + Integer.toUnsignedString(size)
                    + ", expected a power of 2 up to " + VirtioConstants.MAX_QUEUE_SIZE);
        }
        int nextAvail = config.position().nextAvail();
        if (!config.position().isAtUsedIndex() && (nextAvail < 0 || nextAvail > 0xffff)) {
            throw new InvalidVirtqueueException(
                    "next available index " + Integer.toUnsignedString(nextAvail) + ", expected 0 to 65535");
        }
        VirtqueueConfig.Areas areas = config.areas();
        VirtqueueAddressSpace memory = config.memory();
        // VIRTIO 1.3 §2.7 specifies the sizes and alignments. The event fields are present even if they are not used.
        MemorySegment table = mapArea(
                memory,
                "descriptor table",
                areas.descriptorArea(),
                (long) size * VirtioConstants.DESCRIPTOR_BYTES,
                DESCRIPTOR_TABLE_ALIGNMENT,
                Iotlb.READ);
        MemorySegment avail = mapArea(
                memory,
                "available ring",
                areas.driverArea(),
                RING + (long) size * AVAIL_ELEM_BYTES + EVENT_BYTES,
                AVAIL_ALIGNMENT,
                Iotlb.READ);
        // Write permission is sufficient, because the device reads from the used ring only values that a device wrote
        // there.
        MemorySegment used = mapArea(
                memory,
                "used ring",
                areas.deviceArea(),
                RING + (long) size * USED_ELEM_BYTES + EVENT_BYTES,
                USED_ALIGNMENT,
                Iotlb.WRITE);
        return new SplitVirtqueue(config, table, avail, used);
    }

    @Override
    public boolean hasAvailable() {
        if (inflight != null) {
            if (inflight.isFull()) {
                return false;
            }
            if (inflight.hasResubmitted()) {
                return true;
            }
        }
        int idx = Short.toUnsignedInt(avail.get(LE16, IDX));
        VarHandle.acquireFence();
        available = (idx - nextAvail) & 0xffff;
        return available != 0;
    }

    @Override
    public int estimateAvailable(int max) {
        boolean resubmitted = inflight != null && inflight.hasResubmitted();
        return resubmitted ? 1 : Math.clamp(available, 1, max);
    }

    @Override
    public VirtqueueFault peek(ScatterGatherList buffers) {
        if (inflight != null && inflight.hasResubmitted()) {
            head = inflight.nextResubmitted();
            return chainReader.read(head, buffers);
        }
        // The driver cannot have made more heads available than the queue has descriptors.
        if (available > size) {
            return VirtqueueFault.INDEX_JUMP;
        }
        head = headAt(nextAvail);
        return chainReader.read(head, buffers);
    }

    @Override
    public void pop() {
        if (inflight != null) {
            inflight.markInflight(head);
        }
    }

    @Override
    public void undoPop() {
        if (inflight != null) {
            inflight.unmarkInflight(head);
        }
    }

    @Override
    public void addUsed(int length) {
        long at = RING + (long) (nextUsed & (size - 1)) * USED_ELEM_BYTES;
        used.set(LE32, at, head);
        used.set(LE32, at + USED_ELEM_LEN, length);
        nextUsed = (nextUsed + 1) & 0xffff;
        if (inflight == null || inflight.addUsed(head)) {
            nextAvail = (nextAvail + 1) & 0xffff;
        }
    }

    @Override
    public boolean publishUsed() {
        if (nextUsed == publishedUsed) {
            return false;
        }
        int before = publishedUsed;
        publishedUsed = nextUsed;
        // VIRTIO 1.3 §2.7.8.2: the used elements must become visible before the index.
        VarHandle.releaseFence();
        used.set(LE16, IDX, (short) nextUsed);
        dirtyLogger.logRingWrite(0, used.byteSize());
        if (inflight != null) {
            inflight.published(nextUsed);
        }
        // The used index must be visible before used_event or the flags are read; otherwise a notification could be
        // lost.
        VarHandle.fullFence();
        // VIRTIO 1.3 §2.7.7.2: with VIRTIO_F_EVENT_IDX, used_event decides whether to notify, otherwise
        // VIRTQ_AVAIL_F_NO_INTERRUPT.
        if (eventIdx) {
            return VirtioConstants.needEvent(Short.toUnsignedInt(avail.get(LE16, usedEvent)), nextUsed, before);
        }
        return (avail.get(LE16, FLAGS) & VirtioConstants.VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
    }

    @Override
    public boolean enableNotifications() {
        if (eventIdx) {
            used.set(LE16, availEvent, (short) nextAvail);
            dirtyLogger.logRingWrite(availEvent, EVENT_BYTES);
        } else {
            writeUsedFlags(0);
        }
        // VIRTIO 1.3 §2.7.10: avail_event or the flags must be visible before the ring is read again; otherwise a kick
        // could be lost.
        VarHandle.fullFence();
        return hasAvailable();
    }

    @Override
    public void disableNotifications() {
        // VIRTIO 1.3 §2.7.10.2: with VIRTIO_F_EVENT_IDX, the flags MUST be 0. An avail_event that is not updated
        // suppresses kicks.
        if (!eventIdx) {
            writeUsedFlags(VirtioConstants.VIRTQ_USED_F_NO_NOTIFY);
        }
    }

    private void writeUsedFlags(int flags) {
        if (flags != usedFlags) {
            used.set(LE16, FLAGS, (short) flags);
            dirtyLogger.logRingWrite(FLAGS, IDX);
            usedFlags = flags;
        }
    }

    @Override
    public VirtqueuePosition position() {
        int unpublished = nextUsed - publishedUsed;
        return new VirtqueuePosition((nextAvail - unpublished) & 0xffff, publishedUsed);
    }
}
