package org.vhostuserrng.transport.vfiouser.session;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.InaccessibleRegion;

/**
 * The DMA regions of a session. Stop all virtqueues before a region is removed: this unmaps it. Confined to the loop's
 * thread.
 */
final class DmaRegionTable implements AutoCloseable {
    private final List<DmaRegion> regions = new ArrayList<>();
    private GuestMemory memory = GuestMemory.of(List.of());
    private long mappedBytes;

    /** The regions as guest memory, in which an address is a DMA address. */
    GuestMemory memory() {
        return memory;
    }

    /** The number of regions, also of those that are not accessible. */
    int size() {
        return regions.size();
    }

    /** The number of bytes in accessible regions, which occupy address space of this process. */
    long mappedBytes() {
        return mappedBytes;
    }

    /** Whether a region has a byte in common with a range, which ends below 2^64. */
    boolean overlaps(long address, long size) {
        for (DmaRegion region : regions) {
            if (region.overlaps(address, size)) {
                return true;
            }
        }
        return false;
    }

    /** Adds a region that overlaps no other one. */
    void add(DmaRegion region) {
        regions.add(region);
        update();
    }

    /** Removes and unmaps a region. Returns false if there is no region with this address and size. */
    boolean remove(long address, long size) {
        int index = indexOf(address, size);
        if (index < 0) {
            return false;
        }
        DmaRegion removed = regions.remove(index);
        update();
        removed.unmap();
        return true;
    }

    private int indexOf(long address, long size) {
        for (int i = 0; i < regions.size(); i++) {
            if (regions.get(i).isAt(address, size)) {
                return i;
            }
        }
        return -1;
    }

    /** Whether a region has exactly this address and size. */
    boolean contains(long address, long size) {
        return indexOf(address, size) >= 0;
    }

    private void update() {
        // No streams: their first use delays the other guests while classes are loaded.
        List<GuestMemory.Region> accessible = new ArrayList<>();
        List<InaccessibleRegion> inaccessible = new ArrayList<>();
        mappedBytes = 0;
        for (DmaRegion region : regions) {
            if (region.isAccessible()) {
                accessible.add(region.accessibleRegion());
                mappedBytes += region.size();
            } else {
                inaccessible.add(region.inaccessibleRegion());
            }
        }
        memory = GuestMemory.of(accessible, inaccessible);
    }

    @Override
    public void close() {
        List<DmaRegion> removed = List.copyOf(regions);
        regions.clear();
        update();
        removed.forEach(DmaRegion::unmap);
    }
}
