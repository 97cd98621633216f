package org.vhostuserrng.device.virtqueue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * Locates the descriptors of an indirect table (VIRTIO 1.3 §2.7.5.3, §2.8.7) in guest memory. All chains of a virtqueue
 * use one instance. Behind an IOMMU, a table with contiguous I/O virtual addresses may be scattered in guest memory:
 * each descriptor is translated separately, and one that crosses translations is copied to contiguous memory.
 */
final class IndirectDescriptorTable {
    private final VirtqueueAddressSpace memory;
    /** Memory for the copy of a descriptor that crosses translations; null without an IOMMU. */
    private final MemorySegment copy;

    private long address;
    private int count;
    private MemorySegment segment;
    /** Index of {@link #segment} in guest memory. */
    private int region;

    /** Offset of the table in {@link #segment}. Used only without an IOMMU. */
    private long tableOffset;

    private long offset;
    private long remaining;

    IndirectDescriptorTable(VirtqueueAddressSpace memory) {
        this.memory = memory;
        this.copy = memory.isTranslated() ? Arena.ofAuto().allocate(VirtioConstants.DESCRIPTOR_BYTES) : null;
    }

    /**
     * Selects the table to which an indirect descriptor refers.
     *
     * @param length the length of the table in bytes, an unsigned 32-bit value
     * @return null, or the fault if the length or the address is invalid
     */
    VirtqueueFault locate(long tableAddress, long length) {
        long descriptors = length / VirtioConstants.DESCRIPTOR_BYTES;
        if (length % VirtioConstants.DESCRIPTOR_BYTES != 0
                || descriptors == 0
                || descriptors > VirtioConstants.MAX_QUEUE_SIZE) {
            return VirtqueueFault.INDIRECT_LENGTH;
        }
        address = tableAddress;
        count = (int) descriptors;
        if (memory.isTranslated()) {
            boolean wraps = Long.compareUnsigned(tableAddress + length - 1, tableAddress) < 0;
            return wraps ? VirtqueueFault.ofIndirectTable(memory, tableAddress) : null;
        }
        if (!seekGuestAddress(tableAddress)) {
            return VirtqueueFault.ofIndirectTable(memory, tableAddress);
        }
        tableOffset = offset;
        long inRegion = segment.byteSize() - tableOffset;
        if (length > inRegion) {
            return VirtqueueFault.ofIndirectTable(memory, tableAddress + inRegion);
        }
        return memory.isReadable(region, tableOffset, length) ? null : VirtqueueFault.HUGE_PAGE_MISS;
    }

    /**
     * Locates a descriptor: sets {@link #segment} and {@link #offset}. Returns null, or the fault if it is not in guest
     * memory.
     */
    VirtqueueFault seek(int index) {
        long distance = (long) index * VirtioConstants.DESCRIPTOR_BYTES;
        if (memory.isTranslated()) {
            return seekDescriptor(address + distance);
        }
        offset = tableOffset + distance;
        return null;
    }

    private VirtqueueFault seekDescriptor(long iova) {
        VirtqueueFault fault = seekIova(iova);
        return fault != null || remaining >= VirtioConstants.DESCRIPTOR_BYTES ? fault : copyDescriptor(iova);
    }

    /** Locates an I/O virtual address, and sets {@link #remaining} to the number of contiguous bytes from there. */
    private VirtqueueFault seekIova(long iova) {
        int translation = memory.translate(iova, Iotlb.READ);
        if (translation < 0) {
            return VirtqueueFault.ofTranslation(translation);
        }
        long guestAddress = memory.guestAddress(translation, iova);
        if (!seekGuestAddress(guestAddress)) {
            return VirtqueueFault.ofIndirectTable(memory, guestAddress);
        }
        remaining = Math.min(memory.remaining(translation, iova), segment.byteSize() - offset);
        long needed = Math.min(remaining, VirtioConstants.DESCRIPTOR_BYTES);
        return memory.isReadable(region, offset, needed) ? null : VirtqueueFault.HUGE_PAGE_MISS;
    }

    /** Locates a guest-physical address. Returns false if it is outside guest memory. */
    private boolean seekGuestAddress(long guestAddress) {
        GuestMemory guest = memory.guest();
        region = guest.regionAt(guestAddress);
        if (region == GuestMemory.NONE) {
            return false;
        }
        segment = guest.bytes(region);
        offset = guest.offset(region, guestAddress);
        return true;
    }

    private VirtqueueFault copyDescriptor(long iova) {
        int done = 0;
        while (done < VirtioConstants.DESCRIPTOR_BYTES) {
            VirtqueueFault fault = seekIova(iova + done);
            if (fault != null) {
                return fault;
            }
            int part = (int) Math.min(remaining, VirtioConstants.DESCRIPTOR_BYTES - done);
            MemorySegment.copy(segment, offset, copy, done, part);
            done += part;
        }
        segment = copy;
        offset = 0;
        return null;
    }

    /** The memory that contains the descriptor. */
    MemorySegment segment() {
        return segment;
    }

    /** The offset of the descriptor in {@link #segment}; any alignment. */
    long offset() {
        return offset;
    }

    /** The number of descriptors in the table. */
    int count() {
        return count;
    }

    /**
     * Returns the maximum number of descriptors to read. §2.7.5.3.1 limits the length of a chain to the Queue Size, but
     * not that of a table. The device may use less than the whole buffer, so it does not read a longer table to its end
     * while other guests wait.
     */
    int readLimit() {
        return Math.min(count, ScatterGatherList.MAX_DESCRIPTORS);
    }
}
