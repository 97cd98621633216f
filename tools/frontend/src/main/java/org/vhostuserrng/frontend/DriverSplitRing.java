package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The driver's side of a split virtqueue (VIRTIO 1.3 §2.7) in a memory segment. The regular methods (add a buffer, make
 * it available, pop a used buffer) record in-flight buffers in private fields and do not trust the memory. The raw
 * methods ({@code set...}) write arbitrary values, to test devices with a misbehaving driver.
 *
 * <p>Ring indices are free-running 16-bit counters, represented by an {@code int} from 0 to 65535.
 */
public final class DriverSplitRing implements DriverRing {
    private static final int INDEX_MASK = 0xffff;
    private static final long FLAGS = 0;
    private static final long INDEX = 2;
    private static final long RING = 4;

    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Unaligned, because an indirect table may have any address. */
    private static final ValueLayout.OfShort UNALIGNED_LE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LE16_ORDERED = LE16.varHandle();

    private final int queueSize;
    private final boolean eventIndex;
    private final MemorySegment descriptors;
    private final MemorySegment availRing;
    private final MemorySegment usedRing;

    /** A stack of the indices of free descriptors: the first {@link #freeCount} entries are valid. */
    private final int[] freeDescriptors;

    private int freeCount;

    /** Number of descriptors of an in-flight chain, by the index of its head; 0 if no chain starts there. */
    private final int[] chainLength;

    /** Index of the next descriptor in the chain, by descriptor index. */
    private final int[] nextInChain;

    private int availIdx;
    private int lastUsedIdx;
    private int lastKickedAvailIdx;
    private int usedId;
    private int usedLength;

    /**
     * Creates an empty ring and writes its initial state to the memory.
     *
     * @param memory contains the descriptor table, the available ring and the used ring
     * @param guestAddress guest-physical address of the first byte of {@code memory}
     * @param eventIndex whether VIRTIO_F_EVENT_IDX was negotiated
     */
    public DriverSplitRing(
            MemorySegment memory, long guestAddress, DriverSplitRingAddresses addresses, boolean eventIndex) {
        this.queueSize = addresses.queueSize();
        this.eventIndex = eventIndex;
        this.descriptors = memory.asSlice(
                addresses.descriptorTable() - guestAddress, DriverSplitRingAddresses.descriptorTableSize(queueSize));
        this.availRing = memory.asSlice(
                addresses.availableRing() - guestAddress, DriverSplitRingAddresses.availableRingSize(queueSize));
        this.usedRing =
                memory.asSlice(addresses.usedRing() - guestAddress, DriverSplitRingAddresses.usedRingSize(queueSize));
        this.freeDescriptors = new int[queueSize];
        this.chainLength = new int[queueSize];
        this.nextInChain = new int[queueSize];
        reset(0);
    }

    /**
     * Discards all in-flight buffers and restarts, as a driver does after a reset. The available and used index become
     * {@code index}.
     */
    public void reset(int index) {
        for (int i = 0; i < queueSize; i++) {
            freeDescriptors[i] = queueSize - 1 - i;
        }
        freeCount = queueSize;
        Arrays.fill(chainLength, 0);
        descriptors.fill((byte) 0);
        availRing.fill((byte) 0);
        usedRing.fill((byte) 0);
        availIdx = index & INDEX_MASK;
        lastUsedIdx = availIdx;
        lastKickedAvailIdx = availIdx;
        usedRing.set(LE16, INDEX, (short) index);
        availRing.set(LE16, usedEventOffset(), (short) index);
        publishAvailIdx(availIdx);
    }

    @Override
    public int queueSize() {
        return queueSize;
    }

    @Override
    public int freeDescriptors() {
        return freeCount;
    }

    @Override
    public int vringBase() {
        return availIdx;
    }

    /** Free-running index of the next available-ring entry to be written. */
    public int availIdx() {
        return availIdx;
    }

    /** Free-running index of the next used-ring element to be popped. */
    public int lastUsedIdx() {
        return lastUsedIdx;
    }

    // Regular methods.

    @Override
    public int addBuffer(DriverBufferElement... chain) {
        requireFree(chain.length);
        int next = 0;
        int flags = 0;
        for (int i = chain.length - 1; i >= 0; i--) {
            int descriptor = allocate();
            nextInChain[descriptor] = next;
            setDescriptor(descriptor, chain[i].guestAddress(), chain[i].length(), chain[i].flags() | flags, next);
            next = descriptor;
            flags = DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT;
        }
        chainLength[next] = chain.length;
        return next;
    }

    @Override
    public int addWritableBuffer(long guestAddress, int length) {
        requireFree(1);
        int descriptor = allocate();
        setDescriptor(descriptor, guestAddress, length, DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE, 0);
        chainLength[descriptor] = 1;
        return descriptor;
    }

    @Override
    public int addIndirectBuffer(MemorySegment table, long tableAddress, DriverBufferElement... chain) {
        for (int i = 0; i < chain.length; i++) {
            int next = i + 1 < chain.length ? DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT : 0;
            writeDescriptor(table, i, chain[i].guestAddress(), chain[i].length(), chain[i].flags() | next, i + 1);
        }
        requireFree(1);
        int descriptor = allocate();
        int tableLength = DriverVirtqueueConstants.VIRTQ_DESC_SIZE * chain.length;
        setDescriptor(descriptor, tableAddress, tableLength, DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT, 0);
        chainLength[descriptor] = 1;
        return descriptor;
    }

    @Override
    public void makeAvailable(int head) {
        setAvailEntry(availIdx, head);
        publishAvailIdx(availIdx + 1);
    }

    @Override
    public void makeAvailable(int[] heads) {
        for (int i = 0; i < heads.length; i++) {
            setAvailEntry(availIdx + i, heads[i]);
        }
        publishAvailIdx(availIdx + heads.length);
    }

    @Override
    public boolean needsKick() {
        // VIRTIO 1.3 §2.7.13.4.1: write avail idx before reading the used ring's flags or avail_event.
        VarHandle.fullFence();
        int lastKicked = lastKickedAvailIdx;
        lastKickedAvailIdx = availIdx;
        // VIRTIO 1.3 §2.7.10: the device suppresses notifications with avail_event if VIRTIO_F_EVENT_IDX was
        // negotiated, otherwise with the used ring's flags.
        if (eventIndex) {
            return eventPassed(availEvent(), availIdx, lastKicked);
        }
        return availIdx != lastKicked && (usedFlags() & DriverVirtqueueConstants.VIRTQ_USED_F_NO_NOTIFY) == 0;
    }

    /**
     * Linux vring_need_event: whether the index passed {@code event} when it moved from {@code before} to {@code now}.
     */
    static boolean eventPassed(int event, int now, int before) {
        return ((now - event - 1) & INDEX_MASK) < ((now - before) & INDEX_MASK);
    }

    @Override
    public boolean hasUsed() {
        return usedIdx() != lastUsedIdx;
    }

    @Override
    public boolean popUsed() {
        if (!hasUsed()) {
            return false;
        }
        long element = RING + (long) DriverVirtqueueConstants.VIRTQ_USED_ELEM_SIZE * (lastUsedIdx % queueSize);
        usedId = usedRing.get(LE32, element);
        usedLength = usedRing.get(LE32, element + Integer.BYTES);
        freeChain(usedId);
        lastUsedIdx = (lastUsedIdx + 1) & INDEX_MASK;
        return true;
    }

    @Override
    public int usedId() {
        return usedId;
    }

    @Override
    public int usedLength() {
        return usedLength;
    }

    @Override
    public boolean enableInterrupts() {
        if (eventIndex) {
            setUsedEvent(lastUsedIdx);
        } else {
            setAvailFlags(0);
        }
        // VIRTIO 1.3 §2.7.14: enable notifications before checking the used ring again, or an interrupt can be lost.
        VarHandle.fullFence();
        return hasUsed();
    }

    @Override
    public void disableInterrupts() {
        if (eventIndex) {
            // used_event cannot disable interrupts. This value delays the next interrupt by 65535 buffers.
            setUsedEvent(lastUsedIdx - 1);
        } else {
            setAvailFlags(DriverVirtqueueConstants.VIRTQ_AVAIL_F_NO_INTERRUPT);
        }
    }

    private void requireFree(int count) {
        if (count == 0 || count > freeCount) {
            throw new IllegalStateException(count + " descriptors needed, " + freeCount + " free");
        }
    }

    private int allocate() {
        return freeDescriptors[--freeCount];
    }

    private void freeChain(int head) {
        int length = head < 0 || head >= queueSize ? 0 : chainLength[head];
        if (length == 0) {
            throw new DeviceViolationException("the device used descriptor " + Integer.toUnsignedString(head)
                    + ", which is not the head of an in-flight chain");
        }
        chainLength[head] = 0;
        int descriptor = head;
        for (int i = 0; i < length; i++) {
            freeDescriptors[freeCount++] = descriptor;
            descriptor = nextInChain[descriptor];
        }
    }

    private void publishAvailIdx(int index) {
        availIdx = index & INDEX_MASK;
        setAvailIdx(availIdx);
    }

    // Raw methods.

    /** Writes one descriptor of the descriptor table. */
    public void setDescriptor(int descriptor, long address, int length, int flags, int next) {
        writeDescriptor(descriptors, descriptor, address, length, flags, next);
    }

    /** Writes one descriptor to a table in memory, for example an indirect table. */
    public static void writeDescriptor(
            MemorySegment table, int descriptor, long address, int length, int flags, int next) {
        long offset = (long) DriverVirtqueueConstants.VIRTQ_DESC_SIZE * descriptor;
        table.set(LE64, offset, address);
        table.set(LE32, offset + 8, length);
        table.set(UNALIGNED_LE16, offset + 12, (short) flags);
        table.set(UNALIGNED_LE16, offset + 14, (short) next);
    }

    /** Writes the available-ring entry for free-running index {@code index}: the index of a head descriptor. */
    public void setAvailEntry(int index, int head) {
        availRing.set(LE16, RING + 2L * ((index & INDEX_MASK) % queueSize), (short) head);
    }

    /** Writes the available ring's idx with release semantics. Does not change the index of the regular methods. */
    public void setAvailIdx(int index) {
        LE16_ORDERED.setRelease(availRing, INDEX, (short) index);
    }

    /** Writes the available ring's flags. */
    public void setAvailFlags(int flags) {
        LE16_ORDERED.setRelease(availRing, FLAGS, (short) flags);
    }

    /** Writes used_event, the last field of the available ring. */
    public void setUsedEvent(int index) {
        LE16_ORDERED.setRelease(availRing, usedEventOffset(), (short) index);
    }

    /** The used ring's idx. */
    public int usedIdx() {
        return getAcquire(usedRing, INDEX);
    }

    /** The used ring's flags. */
    public int usedFlags() {
        return getAcquire(usedRing, FLAGS);
    }

    /** avail_event, the last field of the used ring. */
    public int availEvent() {
        return getAcquire(usedRing, RING + (long) DriverVirtqueueConstants.VIRTQ_USED_ELEM_SIZE * queueSize);
    }

    private long usedEventOffset() {
        return RING + 2L * queueSize;
    }

    private static int getAcquire(MemorySegment part, long offset) {
        return (short) LE16_ORDERED.getAcquire(part, offset) & INDEX_MASK;
    }
}
