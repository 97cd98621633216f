package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.transport.sys.MemoryMapping;

/**
 * The memory of a guest: regions that do not overlap, found by guest-physical address. Immutable; confined to the
 * loop's thread. Lookups neither allocate nor throw: an address is only what a guest claims.
 */
public final class GuestMemory {
    /** {@link #regionAt}: no region holds the address. */
    public static final int NONE = -1;

    /**
     * A stretch of guest-physical addresses and the bytes behind it.
     *
     * @param guestAddress of the first byte; unsigned
     * @param bytes mapped memory; its size is the region's
     * @param mayShrink whether the file behind it can be truncated by others, which makes accesses fail with an
     *     InternalError
     */
    public record Region(long guestAddress, MemorySegment bytes, boolean mayShrink) {
        /** The address behind the last byte. */
        long end() {
            return guestAddress + bytes.byteSize();
        }
    }

    private final long[] starts;
    private final long[] sizes;
    private final MemorySegment[] segments;
    private final boolean mayShrink;
    private int lastHit;

    private GuestMemory(List<Region> sorted) {
        starts = sorted.stream().mapToLong(Region::guestAddress).toArray();
        sizes = sorted.stream().mapToLong(region -> region.bytes().byteSize()).toArray();
        segments = sorted.stream().map(Region::bytes).toArray(MemorySegment[]::new);
        mayShrink = sorted.stream().anyMatch(Region::mayShrink);
    }

    /**
     * The memory that consists of {@code regions}, in any order.
     *
     * @throws IllegalArgumentException if two overlap, or one runs beyond 2^64
     */
    public static GuestMemory of(List<Region> regions) {
        List<Region> sorted = regions.stream()
                .sorted((one, other) -> Long.compareUnsigned(one.guestAddress(), other.guestAddress()))
                .toList();
        for (int i = 0; i < sorted.size(); i++) {
            Region region = sorted.get(i);
            if (Long.compareUnsigned(region.end() - 1, region.guestAddress()) < 0) {
                throw new IllegalArgumentException("region at " + Long.toHexString(region.guestAddress()) + " of "
                        + region.bytes().byteSize() + " bytes ends beyond 2^64");
            }
            if (i > 0 && Long.compareUnsigned(sorted.get(i - 1).end() - 1, region.guestAddress()) >= 0) {
                throw new IllegalArgumentException(
                        "region at " + Long.toHexString(region.guestAddress()) + " overlaps the one before it");
            }
        }
        return new GuestMemory(sorted);
    }

    /** The number of the region that holds {@code guestAddress}, or {@link #NONE}. */
    public int regionAt(long guestAddress) {
        // Unsigned and free of overflow: an address below the start makes the difference huge.
        if (lastHit < starts.length && Long.compareUnsigned(guestAddress - starts[lastHit], sizes[lastHit]) < 0) {
            return lastHit;
        }
        int region = search(guestAddress);
        if (region != NONE) {
            lastHit = region;
        }
        return region;
    }

    private int search(long guestAddress) {
        int low = 0;
        int high = starts.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(guestAddress, starts[middle]) < 0) {
                high = middle - 1;
            } else if (Long.compareUnsigned(guestAddress - starts[middle], sizes[middle]) < 0) {
                return middle;
            } else {
                low = middle + 1;
            }
        }
        return NONE;
    }

    /** The bytes of a region. */
    public MemorySegment bytes(int region) {
        return segments[region];
    }

    /** Where in the bytes of its region an address is. */
    public long offset(int region, long guestAddress) {
        return guestAddress - starts[region];
    }

    /**
     * The bytes at {@code guestAddress}, if one region holds all {@code length} of them; else null. Allocates: for
     * what is looked up once.
     */
    public MemorySegment slice(long guestAddress, long length) {
        int region = regionAt(guestAddress);
        if (region == NONE || length < 0) {
            return null;
        }
        long offset = offset(region, guestAddress);
        return length <= sizes[region] - offset ? segments[region].asSlice(offset, length) : null;
    }

    /**
     * Ends a guest's turn: if its memory has vanished while it was used, this throws the InternalError that says so,
     * at the latest.
     */
    public void settle() {
        if (mayShrink) {
            MemoryMapping.settle();
        }
    }
}
