package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The driver's half of a packed virtqueue (VIRTIO 1.4, section 2.8), on any memory segment. The regular half (add, make
 * available, take used) keeps its own record of what is in flight and does not believe the memory; the raw half
 * ({@code set...}) writes whatever it is told to, for devices to be tested with.
 *
 * <p>A place in the ring is an index and a wrap counter. As one {@code int} they have the form of an event's desc: the
 * index in bits 0 to 14, the wrap counter in bit 15.
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

    /** Free Buffer IDs, the top one last. */
    private final int[] freeIds;

    private int freeIdCount;
    private int freeCount;

    /** By Buffer ID: descriptors, 0 when not in use; the place of the first one, and its flags. */
    private final int[] chainLength;

    private final int[] firstOffWrap;
    private final int[] firstFlags;

    private int nextAddIdx;
    private int nextAvailIdx;
    private int nextUsedIdx;

    /** Descriptors made available since the last {@link #needsKick}. */
    private int numAddedSinceKick;

    private int usedId;
    private int usedLength;

    /**
     * An empty ring: writes its initial state to the memory.
     *
     * @param memory holds all three parts
     * @param guestAddress guest physical address of the memory's first byte
     * @param eventIndex whether VIRTIO_F_EVENT_IDX was negotiated
     */
    public DriverPackedRing(
            MemorySegment memory, long guestAddress, DriverPackedRingAddresses layout, boolean eventIndex) {
        this.queueSize = layout.queueSize();
        this.eventIndex = eventIndex;
        this.descriptors = memory.asSlice(
                layout.descriptorRing() - guestAddress, DriverPackedRingAddresses.descriptorRingSize(queueSize));
        this.driverEvent = memory.asSlice(
                layout.driverEventSuppression() - guestAddress, DriverVirtioSpec.PVIRTQ_EVENT_SUPPRESS_SIZE);
        this.deviceEvent = memory.asSlice(
                layout.deviceEventSuppression() - guestAddress, DriverVirtioSpec.PVIRTQ_EVENT_SUPPRESS_SIZE);
        this.freeIds = new int[queueSize];
        this.chainLength = new int[queueSize];
        this.firstOffWrap = new int[queueSize];
        this.firstFlags = new int[queueSize];
        // Section 2.8.1: the wrap counters are 1 in the beginning.
        reset(WRAP);
    }

    /** Forgets everything in flight and starts anew at a place, as if all before it had been used. */
    public void reset(int place) {
        for (int i = 0; i < queueSize; i++) {
            freeIds[i] = queueSize - 1 - i;
        }
        freeIdCount = queueSize;
        freeCount = queueSize;
        Arrays.fill(chainLength, 0);
        nextAddIdx = place;
        nextAvailIdx = place;
        nextUsedIdx = place;
        numAddedSinceKick = 0;
        boolean wrap = isWrapSet(place);
        for (int i = 0; i < queueSize; i++) {
            boolean usedInThisRound = i < indexOf(place);
            setDescriptor(i, 0, 0, 0, usedInThisRound == wrap ? usedFlags() : 0);
        }
        deviceEvent.fill((byte) 0);
        setDriverEvent(DriverVirtioSpec.RING_EVENT_FLAGS_ENABLE, 0);
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

    /** The place of the next descriptor this driver will make available. */
    public int nextAvailIdx() {
        return nextAvailIdx;
    }

    /** The place of the next used descriptor this driver will look at. */
    public int nextUsedIdx() {
        return nextUsedIdx;
    }

    // The regular half.

    @Override
    public int addBuffer(DriverBufferElement... chain) {
        int id = allocate(chain.length);
        for (int i = 0; i < chain.length; i++) {
            boolean last = i == chain.length - 1;
            int flags = chain[i].flags() | (last ? 0 : DriverVirtioSpec.VIRTQ_DESC_F_NEXT);
            // Section 2.8.6: the Buffer ID is included in the last descriptor; what the others say has no meaning.
            write(id, i, chain[i].guestAddress(), chain[i].length(), last ? id : -1, flags);
        }
        return id;
    }

    @Override
    public int addWritableBuffer(long guestAddress, int bytes) {
        int id = allocate(1);
        write(id, 0, guestAddress, bytes, id, DriverVirtioSpec.VIRTQ_DESC_F_WRITE);
        return id;
    }

    @Override
    public int addIndirectBuffer(MemorySegment table, long tableAddress, DriverBufferElement... chain) {
        for (int i = 0; i < chain.length; i++) {
            // Section 2.8.19: no flag but WRITE in an indirect table.
            writeDescriptor(table, i, chain[i].guestAddress(), chain[i].length(), 0, chain[i].flags());
        }
        int id = allocate(1);
        int tableLength = DriverVirtioSpec.VIRTQ_DESC_SIZE * chain.length;
        write(id, 0, tableAddress, tableLength, id, DriverVirtioSpec.VIRTQ_DESC_F_INDIRECT);
        return id;
    }

    private int allocate(int count) {
        if (count == 0 || count > freeCount) {
            throw new IllegalStateException(count + " descriptors wanted, " + freeCount + " free");
        }
        freeCount -= count;
        int id = freeIds[--freeIdCount];
        chainLength[id] = count;
        firstOffWrap[id] = nextAddIdx;
        return id;
    }

    /** Writes the next descriptor of the ring; the flags of a buffer's first one wait until it is made available. */
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
        int place = nextAvailIdx;
        for (int i = 0; i < ids.length; i++) {
            if (i > 0) {
                writeFirstFlags(ids[i], place);
            }
            place = advance(place, chainLength[ids[i]]);
        }
        // The device does not look behind the first one before that is there.
        writeFirstFlags(ids[0], nextAvailIdx);
        for (int id : ids) {
            advanceAvail(id);
        }
    }

    private void writeFirstFlags(int id, int place) {
        if (chainLength[id] == 0 || firstOffWrap[id] != place) {
            throw new IllegalStateException("buffer " + id + " is not the next one that was added");
        }
        setFlags(indexOf(place), firstFlags[id]);
    }

    private void advanceAvail(int id) {
        nextAvailIdx = advance(nextAvailIdx, chainLength[id]);
        numAddedSinceKick += chainLength[id];
    }

    @Override
    public boolean needsKick() {
        // Section 2.8.21.3.1: the device must see the descriptors before it is asked whether it looks.
        VarHandle.fullFence();
        int made = numAddedSinceKick;
        numAddedSinceKick = 0;
        if (made == 0) {
            return false;
        }
        int event = deviceEvent();
        return switch (eventFlags(event)) {
            case DriverVirtioSpec.RING_EVENT_FLAGS_DISABLE -> false;
            case DriverVirtioSpec.RING_EVENT_FLAGS_DESC -> !eventIndex || isEventAmongLast(event, made);
            default -> true;
        };
    }

    /** Whether the place in an event is one of the {@code count} last ones made available. */
    private boolean isEventAmongLast(int event, int count) {
        int round = isWrapSet(event) == isWrapSet(nextAvailIdx) ? 0 : queueSize;
        int back = indexOf(nextAvailIdx) + round - indexOf(event);
        return back >= 1 && back <= count;
    }

    @Override
    public boolean hasUsed() {
        int flags = flags(indexOf(nextUsedIdx));
        int wanted = isWrapSet(nextUsedIdx) ? usedFlags() : 0;
        return freeCount < queueSize && (flags & usedFlags()) == wanted;
    }

    @Override
    public boolean popUsed() {
        if (!hasUsed()) {
            return false;
        }
        long descriptor = offset(indexOf(nextUsedIdx));
        boolean written = (flags(indexOf(nextUsedIdx)) & DriverVirtioSpec.VIRTQ_DESC_F_WRITE) != 0;
        usedId = Short.toUnsignedInt(descriptors.get(LE16, descriptor + ID));
        // Section 2.8.4: without the flag the length is reserved.
        usedLength = written ? descriptors.get(LE32, descriptor + LENGTH) : 0;
        nextUsedIdx = advance(nextUsedIdx, freeChain(usedId));
        return true;
    }

    private int freeChain(int id) {
        int count = id < queueSize ? chainLength[id] : 0;
        if (count == 0) {
            throw new DeviceViolationException("the device used buffer " + id + ", which is not in flight");
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
            setDriverEvent(DriverVirtioSpec.RING_EVENT_FLAGS_DESC, nextUsedIdx);
        } else {
            setDriverEvent(DriverVirtioSpec.RING_EVENT_FLAGS_ENABLE, 0);
        }
        // Section 2.8.22: the wish must be seen before the ring is looked at once more, or an interrupt gets lost.
        VarHandle.fullFence();
        return hasUsed();
    }

    @Override
    public void disableInterrupts() {
        setDriverEvent(DriverVirtioSpec.RING_EVENT_FLAGS_DISABLE, 0);
    }

    private int advance(int place, int count) {
        int index = indexOf(place) + count;
        return index < queueSize ? place + count : ((place & WRAP) ^ WRAP) | (index - queueSize);
    }

    private static boolean isWrapSet(int place) {
        return (place & WRAP) != 0;
    }

    private static int indexOf(int place) {
        return place & ~WRAP & 0xffff;
    }

    private static long offset(int index) {
        return (long) DriverVirtioSpec.VIRTQ_DESC_SIZE * index;
    }

    // The raw half.

    /** The flags that make a descriptor available (section 2.8.1). */
    public static int availableFlags(boolean wrap) {
        return wrap ? DriverVirtioSpec.VIRTQ_DESC_F_AVAIL : DriverVirtioSpec.VIRTQ_DESC_F_USED;
    }

    private static int usedFlags() {
        return DriverVirtioSpec.VIRTQ_DESC_F_AVAIL | DriverVirtioSpec.VIRTQ_DESC_F_USED;
    }

    /** Writes one descriptor as told, its flags last. */
    public void setDescriptor(int index, long address, int bytes, int id, int flags) {
        writeFields(descriptors, index, address, bytes, id);
        setFlags(index, flags);
    }

    /** Writes the flags of one descriptor, after everything written before. */
    public void setFlags(int index, int flags) {
        FLAGS_ORDERED.setRelease(descriptors, offset(index) + FLAGS, (short) flags);
    }

    /** Writes one descriptor of any table, such as an indirect one, as told. */
    public static void writeDescriptor(MemorySegment table, int index, long address, int bytes, int id, int flags) {
        writeFields(table, index, address, bytes, id);
        table.set(LE16, offset(index) + FLAGS, (short) flags);
    }

    private static void writeFields(MemorySegment table, int index, long address, int bytes, int id) {
        table.set(LE64, offset(index) + ADDRESS, address);
        table.set(LE32, offset(index) + LENGTH, bytes);
        table.set(LE16, offset(index) + ID, (short) id);
    }

    /** The flags of one descriptor. */
    public int flags(int index) {
        return (short) FLAGS_ORDERED.getAcquire(descriptors, offset(index) + FLAGS) & 0xffff;
    }

    /** Writes the driver event suppression structure. */
    public void setDriverEvent(int flags, int place) {
        EVENT_ORDERED.setRelease(driverEvent, 0L, flags << 16 | place);
    }

    /** The flags of the device event suppression structure. */
    public int deviceEventFlags() {
        return eventFlags(deviceEvent());
    }

    /** The place in the device event suppression structure. */
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
