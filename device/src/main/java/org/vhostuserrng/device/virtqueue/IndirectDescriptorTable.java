package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * An indirect table (VIRTIO 1.3 §2.7.5.3, §2.8.7): where in guest memory its descriptors lie. One serves all chains of a
 * ring. Behind an IOMMU what the driver sees in one piece may be scattered, so each descriptor is found by itself, and one
 * that lies in two places is put together.
 */
final class IndirectDescriptorTable {
    private final VirtqueueAddressSpace memory;
    /** A descriptor that lies in several places. */
    private final MemorySegment assembled;

    private long address;
    private int count;
    private MemorySegment segment;
    /** Of the table's first byte in the segment, if no translation is needed. */
    private long offset;

    private long at;
    private long room;

    IndirectDescriptorTable(VirtqueueAddressSpace memory) {
        this.memory = memory;
        this.assembled = memory.isTranslated() ? Arena.ofAuto().allocate(VirtioSpec.DESCRIPTOR_BYTES) : null;
    }

    /**
     * Finds the table that a descriptor refers to: null, or what is wrong with it.
     *
     * @param length bytes, unsigned 32-bit value
     */
    VirtqueueFault locate(long tableAddress, long length) {
        long descriptors = length / VirtioSpec.DESCRIPTOR_BYTES;
        if (length % VirtioSpec.DESCRIPTOR_BYTES != 0 || descriptors == 0 || descriptors > VirtioSpec.LARGEST_QUEUE) {
            return VirtqueueFault.INDIRECT_LENGTH;
        }
        address = tableAddress;
        count = (int) descriptors;
        if (memory.isTranslated()) {
            boolean wraps = Long.compareUnsigned(tableAddress + length - 1, tableAddress) < 0;
            return wraps ? VirtqueueFault.INDIRECT_RANGE : null;
        }
        if (!goTo(tableAddress)) {
            return VirtqueueFault.INDIRECT_RANGE;
        }
        offset = at;
        return length > segment.byteSize() - offset ? VirtqueueFault.INDIRECT_RANGE : null;
    }

    /** Goes to a descriptor, which is at {@link #at} in {@link #segment} then: null, or what is wrong with it. */
    VirtqueueFault seek(int index) {
        long distance = (long) index * VirtioSpec.DESCRIPTOR_BYTES;
        if (memory.isTranslated()) {
            return seekTranslated(address + distance);
        }
        at = offset + distance;
        return null;
    }

    private VirtqueueFault seekTranslated(long iova) {
        VirtqueueFault fault = find(iova);
        return fault != null || room >= VirtioSpec.DESCRIPTOR_BYTES ? fault : assemble(iova);
    }

    /** Finds the byte at an I/O virtual address, and how many follow it there. */
    private VirtqueueFault find(long iova) {
        int translation = memory.translate(iova, Iotlb.READ);
        if (translation < 0) {
            return VirtqueueFault.ofTranslation(translation);
        }
        if (!goTo(memory.guestAddress(translation, iova))) {
            return VirtqueueFault.INDIRECT_RANGE;
        }
        room = Math.min(memory.room(translation, iova), segment.byteSize() - at);
        return null;
    }

    /** Goes to a guest-physical address, if guest memory has it. */
    private boolean goTo(long guestAddress) {
        GuestMemory guest = memory.guest();
        int region = guest.regionAt(guestAddress);
        if (region == GuestMemory.NONE) {
            return false;
        }
        segment = guest.bytes(region);
        at = guest.offset(region, guestAddress);
        return true;
    }

    private VirtqueueFault assemble(long iova) {
        int done = 0;
        while (done < VirtioSpec.DESCRIPTOR_BYTES) {
            VirtqueueFault fault = find(iova + done);
            if (fault != null) {
                return fault;
            }
            int part = (int) Math.min(room, VirtioSpec.DESCRIPTOR_BYTES - done);
            MemorySegment.copy(segment, at, assembled, done, part);
            done += part;
        }
        segment = assembled;
        at = 0;
        return null;
    }

    /** The memory that the descriptor lies in. */
    MemorySegment segment() {
        return segment;
    }

    /** Where in {@link #segment} the descriptor begins; with any alignment. */
    long at() {
        return at;
    }

    /** How many descriptors the table has. */
    int count() {
        return count;
    }

    /**
     * How many of them a request is looked for in. §2.7.5.3.1 lets no driver have more in a chain than its queue has,
     * but the table itself may: a device that uses less of a buffer need not see its end, which others would wait for.
     */
    int looked() {
        return Math.min(count, ScatterGatherList.MOST_DESCRIPTORS);
    }
}
