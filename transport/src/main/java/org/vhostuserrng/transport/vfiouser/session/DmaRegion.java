package org.vhostuserrng.transport.vfiouser.session;

import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.InaccessibleRegion;
import org.vhostuserrng.transport.sys.AnonymousMapping;
import org.vhostuserrng.transport.sys.MemoryMapping;

/**
 * A DMA region (vfio-user, VFIO_USER_DMA_MAP): mapped; without a descriptor, so that it is accessed by
 * VFIO_USER_DMA_READ and DMA_WRITE; or not accessible. Confined to the loop's thread.
 *
 * @param address the DMA address of the first byte, unsigned
 * @param size in bytes, positive
 * @param mapping the mapped memory; null if the region is not mapped
 * @param copy memory for the copies of buffers; null unless the region has no descriptor
 * @param inaccessible why the region is not accessible; null if it is
 */
record DmaRegion(long address, long size, MemoryMapping mapping, AnonymousMapping copy, String inaccessible) {
    static DmaRegion mapped(long address, long size, MemoryMapping mapping) {
        return new DmaRegion(address, size, mapping, null, null);
    }

    static DmaRegion withoutDescriptor(long address, long size, AnonymousMapping copy) {
        return new DmaRegion(address, size, null, copy, null);
    }

    static DmaRegion inaccessible(long address, long size, String reason) {
        return new DmaRegion(address, size, null, null, reason);
    }

    boolean isAccessible() {
        return inaccessible == null;
    }

    /** Whether the region has a byte in common with a range, which ends below 2^64. */
    boolean overlaps(long otherAddress, long otherSize) {
        return Long.compareUnsigned(address, otherAddress + otherSize - 1) <= 0
                && Long.compareUnsigned(otherAddress, address + size - 1) <= 0;
    }

    boolean isAt(long otherAddress, long otherSize) {
        return address == otherAddress && size == otherSize;
    }

    GuestMemory.Region accessibleRegion() {
        return copy != null
                ? GuestMemory.Region.copy(address, copy.segment())
                : new GuestMemory.Region(address, mapping.segment(), mapping.canVanish());
    }

    InaccessibleRegion inaccessibleRegion() {
        return new InaccessibleRegion(address, size, inaccessible);
    }

    /** Confines the memory of the region to the loop's thread. */
    void open() {
        if (mapping != null) {
            mapping.open();
        }
        if (copy != null) {
            copy.open();
        }
    }

    void unmap() {
        if (mapping != null) {
            mapping.close();
        }
        if (copy != null) {
            copy.close();
        }
    }
}
