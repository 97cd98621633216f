package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.PackedInflightTracker;
import org.vhostuserrng.transport.virtio.PackedUsedPositionTracker;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The device's side of a packed virtqueue (VIRTIO 1.3 §2.8).
 *
 * <p>A slot combines a descriptor index and a wrap counter in one number, below twice the Queue Size: the index if the
 * wrap counter is 1, the index plus the Queue Size if it is 0. So the difference of two slots, modulo twice the Queue
 * Size, is a number of descriptors.
 */
final class PackedVirtqueue extends Virtqueue {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int RING_ALIGNMENT = 16;

    // §2.8.13: struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; }. The last three fields are written with
    // one le64 store, so that a used descriptor is never visible in part.
    private static final long LEN_ID_FLAGS = VirtioConstants.PVIRTQ_DESC_LEN;
    private static final int ID_SHIFT = 32;
    private static final int FLAGS_SHIFT = 48;
    /** Initial capacity of a batch, sufficient for one drain of the entropy device. Grows with a larger batch. */
    private static final int INITIAL_BATCH = 64;

    // §2.8.14: struct pvirtq_event_suppress { le16 { off : 15; wrap : 1 } desc; le16 { flags : 2 } flags; }. It is read
    // and written as one le32, so that desc and flags are consistent.
    private static final int EVENT_BYTES = 4;
    private static final int EVENT_ALIGNMENT = 4;
    private static final int EVENT_FLAGS_SHIFT = 16;
    private static final int EVENT_FLAGS_MASK = 3;

    private final MemorySegment ring;
    private final MemorySegment driverEvent;
    private final MemorySegment deviceEvent;
    private final int size;
    private final long ringAddress;
    private final long deviceEventAddress;
    private final VirtqueueDirtyLogger dirtyLogger;
    private final boolean eventIdx;
    private final PackedDescriptorChainReader ringReader;
    /** The record of in-flight requests; null if they are not recorded. */
    private final PackedInflightTracker inflight;
    /** The record of the position; null if it is not recorded. */
    private final PackedUsedPositionTracker recordedPosition;
    /** Reads the chains that a previous process left in flight; null if there are none. */
    private final PackedDescriptorChainReader resubmittedReader;

    // Slots: the next available, the next used, and the next unpublished used descriptor.
    private int nextAvail;
    private int nextUsed;
    private int publishedUsed;

    // The slots and the contents (len, id, flags) of the used descriptors that are not published yet.
    private int[] batchSlots = new int[INITIAL_BATCH];
    private long[] batch = new long[INITIAL_BATCH];
    private int batchSize;

    /** The reader that read the peeked chain. */
    private PackedDescriptorChainReader peeked;

    /** Flags of the next available descriptor, as read by {@link #hasAvailable}. */
    private int headFlags;

    private int eventWritten;
    private boolean eventKnown;

    private PackedVirtqueue(
            VirtqueueConfig config, MemorySegment ring, MemorySegment driverEvent, MemorySegment deviceEvent)
            throws InvalidVirtqueueException {
        this.ring = ring;
        this.driverEvent = driverEvent;
        this.deviceEvent = deviceEvent;
        this.size = config.size();
        this.ringAddress = config.memory().guestAddress(config.areas().descriptorArea());
        this.deviceEventAddress = config.memory().guestAddress(config.areas().deviceArea());
        this.dirtyLogger = config.dirtyLogger();
        this.eventIdx = (config.features() & VirtioConstants.VIRTIO_F_EVENT_IDX) != 0;
        boolean indirect = (config.features() & VirtioConstants.VIRTIO_F_INDIRECT_DESC) != 0;
        this.ringReader = new PackedDescriptorChainReader(ring, size, config.memory(), indirect);
        VirtqueuePosition position = config.position();
        this.nextAvail = validSlot(position.nextAvail());
        this.nextUsed = validSlot(position.nextUsed());
        this.inflight =
                config.inflight() == null ? null : config.inflight().openPacked(ring, size, toEventDesc(nextUsed));
        if (inflight != null && inflight.isResumed()) {
            // Starts after all chains that the previous process popped, which the configured position does not include.
            this.nextUsed = validSlot(inflight.nextUsed());
            this.nextAvail = advance(nextUsed, inflight.resubmittedCount());
            hideUnpublished();
        }
        this.recordedPosition = config.packedPosition();
        if (recordedPosition != null) {
            int ahead = distance(nextUsed, nextAvail);
            this.nextUsed = validSlot(recordedPosition.open(ring, size, toEventDesc(nextUsed)));
            this.nextAvail = advance(nextUsed, ahead);
        }
        this.resubmittedReader = inflight == null || !inflight.hasResubmitted()
                ? null
                : new PackedDescriptorChainReader(
                        Arena.ofAuto().allocate(VirtioConstants.DESCRIPTOR_BYTES, RING_ALIGNMENT),
                        1,
                        config.memory(),
                        indirect);
        this.publishedUsed = nextUsed;
        if (distance(nextUsed, nextAvail) > size) {
            throw new InvalidVirtqueueException("next available descriptor " + describe(position.nextAvail())
                    + " and next used descriptor " + describe(position.nextUsed()) + ", expected at most " + size
                    + " descriptors in flight");
        }
    }

    static PackedVirtqueue startPacked(VirtqueueConfig config)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        int size = config.size();
        if (size < 1 || size > VirtioConstants.MAX_QUEUE_SIZE) {
            throw new InvalidVirtqueueException("queue size " + Integer.toUnsignedString(size) + ", expected 1 to "
                    + VirtioConstants.MAX_QUEUE_SIZE);
        }
        VirtqueueConfig.Areas areas = config.areas();
        VirtqueueAddressSpace memory = config.memory();
        // VIRTIO 1.3 §2.8.10.1 specifies the sizes and alignments.
        MemorySegment ring = mapArea(
                memory,
                "descriptor ring",
                areas.descriptorArea(),
                (long) size * VirtioConstants.DESCRIPTOR_BYTES,
                RING_ALIGNMENT,
                Iotlb.READ | Iotlb.WRITE);
        MemorySegment driverEvent = mapArea(
                memory, "driver event suppression", areas.driverArea(), EVENT_BYTES, EVENT_ALIGNMENT, Iotlb.READ);
        MemorySegment deviceEvent = mapArea(
                memory, "device event suppression", areas.deviceArea(), EVENT_BYTES, EVENT_ALIGNMENT, Iotlb.WRITE);
        return new PackedVirtqueue(config, ring, driverEvent, deviceEvent);
    }

    /**
     * Makes the descriptors from {@link #nextUsed} to {@link #nextAvail} look available. A process that ended while it
     * published a batch may have written all used descriptors except the first one, which hides the others from the
     * driver. Their chains are resubmitted and may be published one by one, so the other descriptors must not look
     * used.
     */
    private void hideUnpublished() {
        for (int slot = nextUsed; slot != nextAvail; slot = advance(slot, 1)) {
            long at = offset(slot) + VirtioConstants.PVIRTQ_DESC_FLAGS;
            int flags = Short.toUnsignedInt(ring.get(LE16, at));
            int available = wrapCounter(slot)
                    ? (flags | VirtioConstants.VIRTQ_DESC_F_AVAIL) & ~VirtioConstants.VIRTQ_DESC_F_USED
                    : (flags | VirtioConstants.VIRTQ_DESC_F_USED) & ~VirtioConstants.VIRTQ_DESC_F_AVAIL;
            if (flags != available) {
                ring.set(LE16, at, (short) available);
                logRingWrite();
            }
        }
        VarHandle.releaseFence();
    }

    // VHOST_VRING_F_LOG covers only one of the two areas that the device writes, so the ring is also logged like a
    // buffer.
    private void logRingWrite() {
        dirtyLogger.logRingWrite(0, ring.byteSize());
        dirtyLogger.logBufferWrite(ringAddress, ring.byteSize());
    }

    @Override
    public boolean hasAvailable() {
        if (inflight != null && inflight.hasResubmitted()) {
            return true;
        }
        headFlags = Short.toUnsignedInt(ring.get(LE16, offset(nextAvail) + VirtioConstants.PVIRTQ_DESC_FLAGS));
        VarHandle.acquireFence();
        return VirtioConstants.isPackedAvailable(headFlags, wrapCounter(nextAvail)) && maxAvailable() > 0;
    }

    @Override
    public int estimateAvailable(int max) {
        if (inflight != null && inflight.hasResubmitted()) {
            return 1;
        }
        int buffers = 0;
        int slot = nextAvail;
        for (int left = maxAvailable(); left > 0 && buffers < max; left--) {
            int flags = Short.toUnsignedInt(ring.get(LE16, offset(slot) + VirtioConstants.PVIRTQ_DESC_FLAGS));
            if (!VirtioConstants.isPackedAvailable(flags, wrapCounter(slot))) {
                break;
            }
            // Counts the descriptors without VIRTQ_DESC_F_NEXT: only the last one of a chain has no such flag.
            buffers += (flags & VirtioConstants.VIRTQ_DESC_F_NEXT) == 0 ? 1 : 0;
            slot = advance(slot, 1);
        }
        return Math.max(buffers, 1);
    }

    /**
     * Returns the maximum number of descriptors that the driver can have made available: the Queue Size minus those
     * that the device has popped and not published.
     */
    private int maxAvailable() {
        return size - distance(publishedUsed, nextAvail);
    }

    @Override
    public VirtqueueFault peek(ScatterGatherList buffers) {
        if (inflight != null && inflight.hasResubmitted()) {
            peeked = resubmittedReader;
            return resubmittedReader.readResubmitted(inflight, buffers);
        }
        peeked = ringReader;
        return ringReader.read(index(nextAvail), wrapCounter(nextAvail), headFlags, maxAvailable(), buffers);
    }

    @Override
    public void pop() {
        if (inflight != null) {
            inflight.markInflight(ring, index(nextAvail), peeked.length());
        }
    }

    @Override
    public void undoPop() {
        if (inflight != null) {
            inflight.unmarkInflight();
        }
    }

    @Override
    public void addUsed(int length) {
        if (batchSize == batch.length) {
            batchSlots = Arrays.copyOf(batchSlots, 2 * batchSize);
            batch = Arrays.copyOf(batch, 2 * batchSize);
        }
        batchSlots[batchSize] = nextUsed;
        batch[batchSize] = Integer.toUnsignedLong(length)
                | (long) peeked.bufferId() << ID_SHIFT
                | (long) usedFlags(nextUsed) << FLAGS_SHIFT;
        batchSize++;
        // VIRTIO 1.3 §2.8.6: the device writes one used descriptor for the whole chain, and skips as many slots as the
        // chain is long.
        nextUsed = advance(nextUsed, peeked.length());
        if (inflight == null || inflight.addUsed()) {
            nextAvail = advance(nextAvail, peeked.length());
        }
    }

    @Override
    public boolean publishUsed() {
        if (nextUsed == publishedUsed) {
            return false;
        }
        int first = publishedUsed;
        if (recordedPosition == null) {
            publishTogether();
        } else {
            publishOneByOne();
        }
        batchSize = 0;
        publishedUsed = nextUsed;
        logRingWrite();
        if (inflight != null) {
            inflight.published();
        }
        // The used descriptors must be visible before the driver event suppression structure is read; otherwise a
        // notification could be lost.
        VarHandle.fullFence();
        return wantsNotification(first);
    }

    /** Publishes the batch: writes the first used descriptor last, because the driver reads it before the others. */
    private void publishTogether() {
        if (inflight != null) {
            inflight.publishing(toEventDesc(nextUsed));
        }
        for (int i = 1; i < batchSize; i++) {
            writeUsed(i);
        }
        // VIRTIO 1.3 §2.8.22: the first used descriptor must become visible after all others.
        VarHandle.releaseFence();
        writeUsed(0);
    }

    private void publishOneByOne() {
        for (int i = 0; i < batchSize; i++) {
            recordedPosition.publishing(toEventDesc(i + 1 < batchSize ? batchSlots[i + 1] : nextUsed));
            // VIRTIO 1.3 §2.8.22: the contents of the buffer must be visible before the used descriptor.
            VarHandle.releaseFence();
            writeUsed(i);
        }
    }

    private void writeUsed(int i) {
        ring.set(LE64, offset(batchSlots[i]) + LEN_ID_FLAGS, batch[i]);
    }

    /** Returns whether the driver wants a notification for the used descriptors from slot {@code first} on. */
    private boolean wantsNotification(int first) {
        int event = driverEvent.get(LE32, 0);
        return switch ((event >>> EVENT_FLAGS_SHIFT) & EVENT_FLAGS_MASK) {
            case VirtioConstants.RING_EVENT_FLAGS_ENABLE -> true;
            case VirtioConstants.RING_EVENT_FLAGS_DISABLE -> false;
            // VIRTIO 1.3 §2.8.10: RING_EVENT_FLAGS_DESC is valid only with VIRTIO_F_EVENT_IDX. For an invalid setting,
            // such as an index beyond the ring, a spurious notification is better than a lost one.
            case VirtioConstants.RING_EVENT_FLAGS_DESC ->
                !eventIdx
                        || (event & VirtioConstants.PACKED_INDEX_MASK) >= size
                        || distance(first, toSlot(event)) < distance(first, publishedUsed);
            default -> true;
        };
    }

    @Override
    public boolean enableNotifications() {
        writeEvent(
                eventIdx
                        ? VirtioConstants.RING_EVENT_FLAGS_DESC << EVENT_FLAGS_SHIFT | toEventDesc(nextAvail)
                        : VirtioConstants.RING_EVENT_FLAGS_ENABLE << EVENT_FLAGS_SHIFT);
        // VIRTIO 1.3 §2.8.21: the device event suppression structure must be visible before the ring is read again;
        // otherwise a kick could be lost.
        VarHandle.fullFence();
        return hasAvailable();
    }

    @Override
    public void disableNotifications() {
        writeEvent(VirtioConstants.RING_EVENT_FLAGS_DISABLE << EVENT_FLAGS_SHIFT);
    }

    private void writeEvent(int event) {
        if (event != eventWritten || !eventKnown) {
            deviceEvent.set(LE32, 0, event);
            dirtyLogger.logBufferWrite(deviceEventAddress, EVENT_BYTES);
            eventWritten = event;
            eventKnown = true;
        }
    }

    @Override
    public VirtqueuePosition position() {
        int unpublished = distance(publishedUsed, nextUsed);
        int avail = advance(nextAvail, 2 * size - unpublished);
        return new VirtqueuePosition(toEventDesc(avail), toEventDesc(publishedUsed));
    }

    private int usedFlags(int slot) {
        // VIRTIO 1.3 §2.8.1: the AVAIL and USED bits of a used descriptor equal the wrap counter. §2.8.3: its WRITE bit
        // is set if its length is valid.
        int used = wrapCounter(slot) ? VirtioConstants.VIRTQ_DESC_F_AVAIL | VirtioConstants.VIRTQ_DESC_F_USED : 0;
        return VirtioConstants.VIRTQ_DESC_F_WRITE | used;
    }

    private int validSlot(int eventDesc) throws InvalidVirtqueueException {
        if ((eventDesc & VirtioConstants.PACKED_INDEX_MASK) >= size) {
            throw new InvalidVirtqueueException(
                    "position " + describe(eventDesc) + ", expected an index below " + size + " and its wrap counter");
        }
        return toSlot(eventDesc);
    }

    private static String describe(int eventDesc) {
        return Integer.toHexString(eventDesc);
    }

    // A VirtqueuePosition and the event suppression structure use the same encoding of index and wrap counter.
    private int toSlot(int eventDesc) {
        int index = eventDesc & VirtioConstants.PACKED_INDEX_MASK;
        return (eventDesc & VirtioConstants.PACKED_WRAP_COUNTER) != 0 ? index : index + size;
    }

    private int toEventDesc(int slot) {
        return index(slot) | (wrapCounter(slot) ? VirtioConstants.PACKED_WRAP_COUNTER : 0);
    }

    private boolean wrapCounter(int slot) {
        return slot < size;
    }

    private int index(int slot) {
        return slot < size ? slot : slot - size;
    }

    private long offset(int slot) {
        return (long) index(slot) * VirtioConstants.DESCRIPTOR_BYTES;
    }

    private int advance(int slot, int descriptors) {
        int sum = slot + descriptors;
        return sum < 2 * size ? sum : sum - 2 * size;
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + 2 * size;
    }
}
