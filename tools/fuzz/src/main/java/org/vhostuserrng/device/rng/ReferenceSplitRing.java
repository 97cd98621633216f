package org.vhostuserrng.device.rng;

import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_AVAIL_F_NO_INTERRUPT;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_INDIRECT;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_F_NEXT;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_DESC_SIZE;
import static org.vhostuserrng.frontend.DriverVirtioSpec.VIRTQ_USED_F_NO_NOTIFY;

import org.vhostuserrng.frontend.DriverSplitRingAddresses;

/** VIRTIO 1.3 §2.7. */
final class ReferenceSplitRing extends ReferenceDeviceRing {
    private static final int INDICES = 1 << 16;
    private static final int IDX = 2;
    private static final int RING = 4;
    private static final int LEN = 8;
    private static final int FLAGS = 12;
    private static final int NEXT = 14;

    private final int table;
    private final int avail;
    private final int used;
    private int nextAvail;
    private int nextUsed;
    private int publishedUsed;
    private int head;
    private int flagsWritten = -1;

    private ReferenceSplitRing(ReferenceGuestMemory memory, FuzzedRingConfig shape) {
        super(memory, shape);
        table = ReferenceGuestMemory.at(shape.areas().descriptorArea());
        avail = ReferenceGuestMemory.at(shape.areas().driverArea());
        used = ReferenceGuestMemory.at(shape.areas().deviceArea());
        nextAvail = shape.base();
        nextUsed = memory.u16(used + IDX);
        publishedUsed = nextUsed;
    }

    /** Null if that cannot be a virtqueue. */
    static ReferenceDeviceRing of(ReferenceGuestMemory memory, FuzzedRingConfig shape) {
        long descriptors = shape.areas().descriptorArea();
        long available = shape.areas().driverArea();
        long used = shape.areas().deviceArea();
        boolean valid = descriptors % 16 == 0
                && available % 2 == 0
                && used % 4 == 0
                && ReferenceGuestMemory.holds(descriptors, DriverSplitRingAddresses.descriptorTableSize(shape.size()))
                && ReferenceGuestMemory.holds(available, DriverSplitRingAddresses.availableRingSize(shape.size()))
                && ReferenceGuestMemory.holds(used, DriverSplitRingAddresses.usedRingSize(shape.size()));
        return valid ? new ReferenceSplitRing(memory, shape) : null;
    }

    private int available() {
        return Math.floorMod(memory.u16(avail + IDX) - nextAvail, INDICES);
    }

    @Override
    boolean hasNext() {
        return available() > 0;
    }

    @Override
    ReferenceBufferChain walk() {
        if (available() > size) {
            return null;
        }
        head = memory.u16(avail + RING + 2 * (nextAvail % size));
        ReferenceBufferChain chain = new ReferenceBufferChain();
        boolean wellFormed = walk(table, size, head, true, chain);
        return wellFormed && chain.bytes() > 0 ? chain : null;
    }

    /** Whether the chain from {@code first} on through a table of {@code count} descriptors is well-formed. */
    private boolean walk(int from, int count, int first, boolean tablesMayFollow, ReferenceBufferChain chain) {
        int index = first;
        for (int seen = 0; seen < count && index < count; seen++) {
            int at = from + VIRTQ_DESC_SIZE * index;
            int flags = memory.u16(at + FLAGS);
            boolean last = (flags & VIRTQ_DESC_F_NEXT) == 0;
            if ((flags & VIRTQ_DESC_F_INDIRECT) != 0) {
                return tablesMayFollow && indirect && last && walkTable(at, chain);
            }
            if (!chain.add(memory.u64(at), memory.u32(at + LEN), flags)) {
                return false;
            }
            if (last) {
                return true;
            }
            index = memory.u16(at + NEXT);
        }
        return false;
    }

    private boolean walkTable(int descriptor, ReferenceBufferChain chain) {
        long address = memory.u64(descriptor);
        long length = Integer.toUnsignedLong(memory.u32(descriptor + LEN));
        boolean there = length > 0 && length % VIRTQ_DESC_SIZE == 0 && ReferenceGuestMemory.holds(address, length);
        return there && walk(ReferenceGuestMemory.at(address), (int) length / VIRTQ_DESC_SIZE, 0, false, chain);
    }

    @Override
    void use(int length) {
        int element = used + RING + 8 * (nextUsed % size);
        memory.set32(element, head);
        memory.set32(element + 4, length);
        nextUsed = (nextUsed + 1) % INDICES;
        nextAvail = (nextAvail + 1) % INDICES;
    }

    @Override
    boolean publish() {
        int before = publishedUsed;
        publishedUsed = nextUsed;
        if (before == nextUsed) {
            return false;
        }
        memory.set16(used + IDX, nextUsed);
        if (!eventIdx) {
            return (memory.u16(avail) & VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
        }
        int usedEvent = memory.u16(avail + RING + 2 * size);
        for (int index = before; index != nextUsed; index = (index + 1) % INDICES) {
            if (index == usedEvent) {
                return true;
            }
        }
        return false;
    }

    @Override
    void rearm() {
        if (eventIdx) {
            memory.set16(used + RING + 8 * size, nextAvail);
        } else {
            writeFlags(0);
        }
    }

    @Override
    void suppressKicks() {
        if (!eventIdx) {
            writeFlags(VIRTQ_USED_F_NO_NOTIFY);
        }
    }

    private void writeFlags(int flags) {
        if (flags != flagsWritten) {
            memory.set16(used, flags);
            flagsWritten = flags;
        }
    }

    @Override
    int base() {
        return nextAvail;
    }
}
