package org.vhostuserrng.device.rng;

import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_AVAIL_F_NO_INTERRUPT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_DESC_SIZE;
import static org.vhostuserrng.frontend.DriverVirtqueueConstants.VIRTQ_USED_F_NO_NOTIFY;

import org.vhostuserrng.frontend.DriverSplitRingAddresses;

/** The device's side of a split virtqueue (VIRTIO 1.3 §2.7). */
final class ReferenceSplitRing extends ReferenceDeviceRing {
    /** Number of values of a ring index, which is 16 bits wide. */
    private static final int INDICES = 1 << 16;

    private static final int IDX = 2;
    private static final int RING = 4;
    private static final int LEN = 8;
    private static final int FLAGS = 12;
    private static final int NEXT = 14;

    private final int descriptorTable;
    private final int avail;
    private final int used;
    private int nextAvail;
    private int nextUsed;
    private int publishedUsed;
    private int head;
    private int flagsWritten = -1;

    private ReferenceSplitRing(ReferenceGuestMemory memory, FuzzedRingConfig config) {
        super(memory, config);
        descriptorTable = ReferenceGuestMemory.offsetOf(config.areas().descriptorArea());
        avail = ReferenceGuestMemory.offsetOf(config.areas().driverArea());
        used = ReferenceGuestMemory.offsetOf(config.areas().deviceArea());
        nextAvail = config.base();
        nextUsed = memory.u16(used + IDX);
        publishedUsed = nextUsed;
    }

    /** Creates a ring; returns null if the configuration is invalid. */
    static ReferenceDeviceRing of(ReferenceGuestMemory memory, FuzzedRingConfig config) {
        long descriptors = config.areas().descriptorArea();
        long available = config.areas().driverArea();
        long used = config.areas().deviceArea();
        boolean valid = descriptors % 16 == 0
                && available % 2 == 0
                && used % 4 == 0
                && ReferenceGuestMemory.contains(
                        descriptors, DriverSplitRingAddresses.descriptorTableSize(config.size()))
                && ReferenceGuestMemory.contains(available, DriverSplitRingAddresses.availableRingSize(config.size()))
                && ReferenceGuestMemory.contains(used, DriverSplitRingAddresses.usedRingSize(config.size()));
        return valid ? new ReferenceSplitRing(memory, config) : null;
    }

    private int available() {
        return Math.floorMod(memory.u16(avail + IDX) - nextAvail, INDICES);
    }

    @Override
    boolean hasNext() {
        return available() > 0;
    }

    @Override
    ReferenceBufferChain peek() {
        if (available() > size) {
            return null;
        }
        head = memory.u16(avail + RING + 2 * (nextAvail % size));
        ReferenceBufferChain chain = new ReferenceBufferChain();
        boolean wellFormed = addChain(descriptorTable, size, head, true, chain);
        return wellFormed && chain.bytes() > 0 ? chain : null;
    }

    /**
     * Adds the descriptor chain that starts at index {@code first} of a table. Returns false if the chain is malformed.
     */
    private boolean addChain(int table, int count, int first, boolean indirectAllowed, ReferenceBufferChain chain) {
        int index = first;
        for (int seen = 0; seen < count && index < count; seen++) {
            int descriptor = table + VIRTQ_DESC_SIZE * index;
            int flags = memory.u16(descriptor + FLAGS);
            boolean last = (flags & VIRTQ_DESC_F_NEXT) == 0;
            if ((flags & VIRTQ_DESC_F_INDIRECT) != 0) {
                return indirectAllowed && indirect && last && addTable(descriptor, chain);
            }
            if (!chain.add(memory.u64(descriptor), memory.u32(descriptor + LEN), flags)) {
                return false;
            }
            if (last) {
                return true;
            }
            index = memory.u16(descriptor + NEXT);
        }
        return false;
    }

    private boolean addTable(int descriptor, ReferenceBufferChain chain) {
        long address = memory.u64(descriptor);
        long length = Integer.toUnsignedLong(memory.u32(descriptor + LEN));
        boolean valid = length > 0 && length % VIRTQ_DESC_SIZE == 0 && ReferenceGuestMemory.contains(address, length);
        return valid
                && addChain(ReferenceGuestMemory.offsetOf(address), (int) length / VIRTQ_DESC_SIZE, 0, false, chain);
    }

    @Override
    void addUsed(int length) {
        int element = used + RING + 8 * (nextUsed % size);
        memory.set32(element, head);
        memory.set32(element + 4, length);
        nextUsed = (nextUsed + 1) % INDICES;
        nextAvail = (nextAvail + 1) % INDICES;
    }

    @Override
    boolean publishUsed() {
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
    void enableNotification() {
        if (eventIdx) {
            memory.set16(used + RING + 8 * size, nextAvail);
        } else {
            writeFlags(0);
        }
    }

    @Override
    void disableNotification() {
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
