package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** A guest's memory: the regions of one SET_MEM_TABLE. Owns them. */
public final class FrontendGuestMemory implements AutoCloseable {
    private final List<FrontendMemoryRegion> regions;

    public FrontendGuestMemory(List<FrontendMemoryRegion> regions) {
        this.regions = List.copyOf(regions);
    }

    public List<FrontendMemoryRegion> regions() {
        return regions;
    }

    /** The file descriptors in the order of the regions. */
    public int[] fds() {
        return regions.stream().mapToInt(FrontendMemoryRegion::fd).toArray();
    }

    /**
     * The bytes at a guest physical address.
     *
     * @throws IndexOutOfBoundsException when they are not all in one region
     */
    public MemorySegment at(long guestAddress, long length) {
        FrontendMemoryRegion region = containing(guestAddress, length);
        return region.segment().asSlice(guestAddress - region.guestAddress(), length);
    }

    /**
     * The front-end's user address of a guest physical address.
     *
     * @throws IndexOutOfBoundsException when no region has it
     */
    public long userAddress(long guestAddress) {
        FrontendMemoryRegion region = containing(guestAddress, 1);
        return guestAddress - region.guestAddress() + region.userAddress();
    }

    private FrontendMemoryRegion containing(long guestAddress, long length) {
        for (FrontendMemoryRegion region : regions) {
            if (region.contains(guestAddress, length)) {
                return region;
            }
        }
        throw new IndexOutOfBoundsException(
                "no region of guest memory has " + length + " bytes at 0x" + Long.toHexString(guestAddress));
    }

    @Override
    public void close() {
        regions.forEach(FrontendMemoryRegion::close);
    }
}
