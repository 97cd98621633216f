package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** Guest memory: the regions of one SET_MEM_TABLE. Owns the regions. */
public final class FrontendGuestMemory implements AutoCloseable {
    private final List<FrontendMemoryRegion> regions;

    public FrontendGuestMemory(List<FrontendMemoryRegion> regions) {
        this.regions = List.copyOf(regions);
    }

    public List<FrontendMemoryRegion> regions() {
        return regions;
    }

    /** The regions' file descriptors, in the order of the regions. */
    public int[] fds() {
        return regions.stream().mapToInt(FrontendMemoryRegion::fd).toArray();
    }

    /**
     * Returns {@code length} bytes of guest memory.
     *
     * @throws IndexOutOfBoundsException if no single region contains all of these bytes
     */
    public MemorySegment at(long guestAddress, long length) {
        FrontendMemoryRegion region = containing(guestAddress, length);
        return region.segment().asSlice(guestAddress - region.guestAddress(), length);
    }

    /**
     * Translates a guest-physical address to a user address of the front-end.
     *
     * @throws IndexOutOfBoundsException if no region contains the address
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
                "no region of guest memory contains " + length + " bytes at 0x" + Long.toHexString(guestAddress));
    }

    @Override
    public void close() {
        regions.forEach(FrontendMemoryRegion::close);
    }
}
