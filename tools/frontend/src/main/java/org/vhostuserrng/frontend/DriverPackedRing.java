package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The driver's side of a packed virtqueue (VIRTIO 1.3 §2.8) in a memory segment. The regular methods (add a buffer,
 * make it available, pop a used buffer) record in-flight buffers in private fields and do not trust the memory. The raw
 * methods ({@code set...}) write arbitrary values, to test devices with a misbehaving driver.
 *
 * <p>A ring position is an index with a wrap counter, encoded in one {@code int} like the {@code off_wrap} field of an
 * event suppression structure: the index in bits 0 to 14, the wrap counter in bit 15 (§2.8.14).
 */
public final class DriverPackedRing implements DriverRing {
    private static final int WRAP = 1 << 15;
    private static final long ADDRESS = 0;
    private static final long LENGTH = 8;
    private static final long ID = 12;
    private static final long FLAGS = 14;

    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle FLAGS_ORDERED =
            ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle EVENT_ORDERED =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final int queueSize;
    private final boolean eventIndex;
    private final MemorySegment descriptors;
    private final MemorySegment driverEvent;
    private final MemorySegment deviceEvent;

    /** A stack of the free buffer ids: the first {@link #freeIdCount} entries are valid. */
    private final int[] freeIds;

    private int freeIdCount;
    private int freeCount;

    /** Number of descriptors of the buffer, by buffer id; 0 if the id is free. */
    private final int[] chainLength;

    /** Ring position of the buffer's first descriptor, by buffer id. */
    private final int[] firstOffWrap;

    /** Flags of the buffer's first descriptor, by buffer id; written to the ring when the buffer is made available. */
    private final int[] firstFlags;

    private int nextAddIdx;
    private int nextAvailIdx;
    private int nextUsedIdx;

    /** Number of descriptors made available since the last call of {@link #needsKick}. */
    private int numAddedSinceKick;

    private int usedId;
    private int usedLength;

    /**
     * Creates an empty ring and writes its initial state to the memory.
     *
     * @param memory contains the descriptor ring and both event suppression structures
     * @param guestAddress guest-physical address of the first byte of {@code memory}
     * @param eventIndex whether VIRTIO_F_EVENT_IDX was negotiated
     */
    public DriverPackedRing(
            MemorySegment memory, long guestAddress, DriverPackedRingAddresses addresses, boolean eventIndex) {
        this.queueSize = addresses.queueSize();
        this.eventIndex = eventIndex;
        this.descriptors = memory.asSlice(
                addresses.descriptorRing() - guestAddress, DriverPackedRingAddresses.descriptorRingSize(queueSize));
        this.driverEvent = memory.asSlice(
                addresses.driverEventSuppression() - guestAddress, DriverVirtqueueConstants.PVIRTQ_EVENT_SUPPRESS_SIZE);
        this.deviceEvent = memory.asSlice(
                addresses.deviceEventSuppression() - guestAddress, DriverVirtqueueConstants.PVIRTQ_EVENT_SUPPRESS_SIZE);
        this.freeIds = new int[queueSize];
        this.chainLength = new int[queueSize];
        this.firstOffWrap = new int[queueSize];
        this.firstFlags = new int[queueSize];
        // VIRTIO 1.3 §2.8.1: both wrap counters are initialized to 1.
        reset(WRAP);
    }

    /** Discards all in-flight buffers, marks all descriptors used, and restarts at ring position {@code offWrap}. */
    public void reset(int offWrap) {
        for (int i = 0; i < queueSize; i++) {
            freeIds[i] = queueSize - 1 - i;
        }
        freeIdCount = queueSize;
        freeCount = queueSize;
        Arrays.fill(chainLength, 0);
        nextAddIdx = offWrap;
        nextAvailIdx = offWrap;
        nextUsedIdx = offWrap;
        numAddedSinceKick = 0;
        boolean wrap = isWrapSet(offWrap);
        for (int i = 0; i < queueSize; i++) {
            boolean beforePosition = i < indexOf(offWrap);
            setDescriptor(i, 0, 0, 0, beforePosition == wrap ? usedFlags() : 0);
        }
        deviceEvent.fill((byte) 0);
        setDriverEvent(DriverVirtqueueConstants.RING_EVENT_FLAGS_ENABLE, 0);
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
        return nextAvailIdx << 16 | nextAvailIdx;
    }

    /** Ring position of the next descriptor to be made available. */
    public int nextAvailIdx() {
        return nextAvailIdx;
    }

    /** Ring position of the next used descriptor to be popped. */
    public int nextUsedIdx() {
        return nextUsedIdx;
    }

    // Regular methods.

    @Override
    public int addBuffer(DriverBufferElement... chain) {
        int id = allocate(chain.length);
        for (int i = 0; i < chain.length; i++) {
            boolean last = i == chain.length - 1;
            int flags = chain[i].flags() | (last ? 0 : DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT);
            // VIRTIO 1.3 §2.8.6: the device reads the buffer id only from the last descriptor of a chain.
            write(id, i, chain[i].guestAddress(), chain[i].length(), last ? id : -1, flags);
        }
        return id;
    }

    @Override
    public int addWritableBuffer(long guestAddress, int bytes) {
        int id = allocate(1);
        write(id, 0, guestAddress, bytes, id, DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE);
        return id;
    }

    @Override
    public int addIndirectBuffer(MemorySegment table, long tableAddress, DriverBufferElement... chain) {
        for (int i = 0; i < chain.length; i++) {
            // VIRTIO 1.3 §2.8.19: VIRTQ_DESC_F_WRITE is the only flag that is valid in an indirect table.
            writeDescriptor(table, i, chain[i].guestAddress(), chain[i].length(), 0, chain[i].flags());
        }
        int id = allocate(1);
        int tableLength = DriverVirtqueueConstants.VIRTQ_DESC_SIZE * chain.length;
        write(id, 0, tableAddress, tableLength, id, DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT);
        return id;
    }

    private int allocate(int count) {
        if (count == 0 || count > freeCount) {
            throw new IllegalStateException(count + " descriptors needed, " + freeCount + " free");
        }
        freeCount -= count;
        int id = freeIds[--freeIdCount];
        chainLength[id] = count;
        firstOffWrap[id] = nextAddIdx;
        return id;
    }

    /**
     * Writes the next descriptor. The flags of a buffer's first descriptor are not written yet, only recorded in
     * {@link #firstFlags}.
     */
    private void write(int id, int element, long address, int bytes, int writtenId, int elementFlags) {
        int flags = elementFlags | availableFlags(isWrapSet(nextAddIdx));
        int index = indexOf(nextAddIdx);
        writeFields(descriptors, index, address, bytes, writtenId);
        if (element == 0) {
            firstFlags[id] = flags;
        } else {
            setFlags(index, flags);
        }
        nextAddIdx = advance(nextAddIdx, 1);
    }

    @Override
    public void makeAvailable(int id) {
        writeFirstFlags(id, nextAvailIdx);
        advanceAvail(id);
    }

    @Override
    public void makeAvailable(int[] ids) {
        int offWrap = nextAvailIdx;
        for (int i = 0; i < ids.length; i++) {
            if (i > 0) {
                writeFirstFlags(ids[i], offWrap);
            }
            offWrap = advance(offWrap, chainLength[ids[i]]);
        }
        // The device reads descriptors in ring order: the flags of the first descriptor make all of them available.
        writeFirstFlags(ids[0], nextAvailIdx);
        for (int id : ids) {
            advanceAvail(id);
        }
    }

    private void writeFirstFlags(int id, int offWrap) {
        if (chainLength[id] == 0 || firstOffWrap[id] != offWrap) {
            throw new IllegalStateException("buffer " + id + " is not the next buffer in the order of addition");
        }
        setFlags(indexOf(offWrap), firstFlags[id]);
    }

    private void advanceAvail(int id) {
        nextAvailIdx = advance(nextAvailIdx, chainLength[id]);
        numAddedSinceKick += chainLength[id];
    }

    @Override
    public boolean needsKick() {
        // VIRTIO 1.3 §2.8.21.3.1: write the descriptors before reading the device event suppression structure.
        VarHandle.fullFence();
        int added = numAddedSinceKick;
        numAddedSinceKick = 0;
        if (added == 0) {
            return false;
        }
        int event = deviceEvent();
        return switch (eventFlags(event)) {
            case DriverVirtqueueConstants.RING_EVENT_FLAGS_DISABLE -> false;
            case DriverVirtqueueConstants.RING_EVENT_FLAGS_DESC -> !eventIndex || isEventAmongLast(event, added);
            default -> true;
        };
    }

    /** Whether ring position {@code event} is among the last {@code count} descriptors that were made available. */
    private boolean isEventAmongLast(int event, int count) {
        int wrapDistance = isWrapSet(event) == isWrapSet(nextAvailIdx) ? 0 : queueSize;
        int back = indexOf(nextAvailIdx) + wrapDistance - indexOf(event);
        return back >= 1 && back <= count;
    }

    @Override
    public boolean hasUsed() {
        int flags = flags(indexOf(nextUsedIdx));
        int expected = isWrapSet(nextUsedIdx) ? usedFlags() : 0;
        return freeCount < queueSize && (flags & usedFlags()) == expected;
    }

    @Override
    public boolean popUsed() {
        if (!hasUsed()) {
            return false;
        }
        long descriptor = offset(indexOf(nextUsedIdx));
        boolean written = (flags(indexOf(nextUsedIdx)) & DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE) != 0;
        usedId = Short.toUnsignedInt(descriptors.get(LE16, descriptor + ID));
        // VIRTIO 1.3 §2.8.4: the length is reserved unless VIRTQ_DESC_F_WRITE is set.
        usedLength = written ? descriptors.get(LE32, descriptor + LENGTH) : 0;
        nextUsedIdx = advance(nextUsedIdx, freeChain(usedId));
        return true;
    }

    private int freeChain(int id) {
        int count = id < queueSize ? chainLength[id] : 0;
        if (count == 0) {
            throw new DeviceViolationException("the device used buffer " + id + ", which is not in-flight");
        }
        chainLength[id] = 0;
        freeIds[freeIdCount++] = id;
        freeCount += count;
        return count;
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
            setDriverEvent(DriverVirtqueueConstants.RING_EVENT_FLAGS_DESC, nextUsedIdx);
        } else {
            setDriverEvent(DriverVirtqueueConstants.RING_EVENT_FLAGS_ENABLE, 0);
        }
        // VIRTIO 1.3 §2.8.22: enable notifications before checking the ring again, or an interrupt can be lost.
        VarHandle.fullFence();
        return hasUsed();
    }

    @Override
    public void disableInterrupts() {
        setDriverEvent(DriverVirtqueueConstants.RING_EVENT_FLAGS_DISABLE, 0);
    }

    private int advance(int offWrap, int count) {
        int index = indexOf(offWrap) + count;
        return index < queueSize ? offWrap + count : ((offWrap & WRAP) ^ WRAP) | (index - queueSize);
    }

    private static boolean isWrapSet(int offWrap) {
        return (offWrap & WRAP) != 0;
    }

    private static int indexOf(int offWrap) {
        return offWrap & ~WRAP & 0xffff;
    }

    private static long offset(int index) {
        return (long) DriverVirtqueueConstants.VIRTQ_DESC_SIZE * index;
    }

    // Raw methods.

    /**
     * Returns the AVAIL and USED bits of an available descriptor (VIRTIO 1.3 §2.8.1).
     *
     * @param wrap the driver's wrap counter: true for 1
     */
    public static int availableFlags(boolean wrap) {
        return wrap ? DriverVirtqueueConstants.VIRTQ_DESC_F_AVAIL : DriverVirtqueueConstants.VIRTQ_DESC_F_USED;
    }

    private static int usedFlags() {
        return DriverVirtqueueConstants.VIRTQ_DESC_F_AVAIL | DriverVirtqueueConstants.VIRTQ_DESC_F_USED;
    }

    /** Writes one descriptor of the ring; writes its flags last. */
    public void setDescriptor(int index, long address, int bytes, int id, int flags) {
        writeFields(descriptors, index, address, bytes, id);
        setFlags(index, flags);
    }

    /** Writes the flags of one descriptor with release semantics. */
    public void setFlags(int index, int flags) {
        FLAGS_ORDERED.setRelease(descriptors, offset(index) + FLAGS, (short) flags);
    }

    /** Writes one descriptor to a table in memory, for example an indirect table. */
    public static void writeDescriptor(MemorySegment table, int index, long address, int bytes, int id, int flags) {
        writeFields(table, index, address, bytes, id);
        table.set(LE16, offset(index) + FLAGS, (short) flags);
    }

    private static void writeFields(MemorySegment table, int index, long address, int bytes, int id) {
        table.set(LE64, offset(index) + ADDRESS, address);
        table.set(LE32, offset(index) + LENGTH, bytes);
        table.set(LE16, offset(index) + ID, (short) id);
    }

    /** Reads the flags of one descriptor with acquire semantics. */
    public int flags(int index) {
        return (short) FLAGS_ORDERED.getAcquire(descriptors, offset(index) + FLAGS) & 0xffff;
    }

    /** Writes the driver event suppression structure. */
    public void setDriverEvent(int flags, int offWrap) {
        EVENT_ORDERED.setRelease(driverEvent, 0L, flags << 16 | offWrap);
    }

    /** The flags of the device event suppression structure. */
    public int deviceEventFlags() {
        return eventFlags(deviceEvent());
    }

    /** The ring position (off_wrap) in the device event suppression structure. */
    public int deviceEventOffWrap() {
        return deviceEvent() & 0xffff;
    }

    private static int eventFlags(int event) {
        return (event >>> 16) & 3;
    }

    private int deviceEvent() {
        return (int) EVENT_ORDERED.getAcquire(deviceEvent, 0L);
    }
}
