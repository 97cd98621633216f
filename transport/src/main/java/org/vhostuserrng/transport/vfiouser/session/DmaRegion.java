package org.vhostuserrng.transport.vfiouser.session;

import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.InaccessibleRegion;
import org.vhostuserrng.transport.sys.MemoryMapping;

/**
 * A DMA region (vfio-user, VFIO_USER_DMA_MAP). Confined to the loop's thread.
 *
 * @param address the DMA address of the first byte, unsigned
 * @param size in bytes, positive
 * @param mapping the mapped memory; null if the region is not accessible
 * @param inaccessible why the region is not accessible; null if it is mapped
 */
record DmaRegion(long address, long size, MemoryMapping mapping, String inaccessible) {
    boolean isMapped() {
        return mapping != null;
    }

    /** Whether the region has a byte in common with a range, which ends below 2^64. */
    boolean overlaps(long otherAddress, long otherSize) {
        return Long.compareUnsigned(address, otherAddress + otherSize - 1) <= 0
                && Long.compareUnsigned(otherAddress, address + size - 1) <= 0;
    }

    boolean isAt(long otherAddress, long otherSize) {
        return address == otherAddress && size == otherSize;
    }

    GuestMemory.Region mappedRegion() {
        return new GuestMemory.Region(address, mapping.segment(), mapping.canVanish());
    }

    InaccessibleRegion inaccessibleRegion() {
        return new InaccessibleRegion(address, size, inaccessible);
    }

    void unmap() {
        if (isMapped()) {
            mapping.close();
        }
    }
}
