package org.vhostuserrng.device;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.GuestMemory;

/** An indirect table (VIRTIO 1.3 §2.7.5.3, §2.8.7): where in guest memory it lies. One serves all chains of a ring. */
final class IndirectTable {
    private final GuestMemory memory;
    private MemorySegment segment;
    private long offset;
    private int count;

    IndirectTable(GuestMemory memory) {
        this.memory = memory;
    }

    /**
     * Finds the table that a descriptor refers to: null, or what is wrong with it.
     *
     * @param length bytes, unsigned 32-bit value
     */
    RingFault locate(long address, long length) {
        long descriptors = length / Virtio.DESCRIPTOR_BYTES;
        if (length % Virtio.DESCRIPTOR_BYTES != 0 || descriptors == 0 || descriptors > Virtio.LARGEST_QUEUE) {
            return RingFault.INDIRECT_LENGTH;
        }
        int region = memory.regionAt(address);
        if (region == GuestMemory.NONE) {
            return RingFault.INDIRECT_RANGE;
        }
        segment = memory.bytes(region);
        offset = memory.offset(region, address);
        count = (int) descriptors;
        return length > segment.byteSize() - offset ? RingFault.INDIRECT_RANGE : null;
    }

    /** The region that the table lies in. */
    MemorySegment segment() {
        return segment;
    }

    /** Where in the region a descriptor begins; with any alignment. */
    long offset(int index) {
        return offset + (long) index * Virtio.DESCRIPTOR_BYTES;
    }

    /** How many descriptors the table has. */
    int count() {
        return count;
    }
}
