package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.transport.sys.MemoryMapping;

/**
 * The memory of a guest: non-overlapping regions, looked up by guest-physical address. The set of regions is immutable,
 * but a lookup caches its last hit, so the object is confined to the loop's thread. Lookups neither allocate nor throw,
 * because the guest chooses the address.
 */
public final class GuestMemory {
    /** {@link #regionAt}: no region contains the address. */
    public static final int NONE = -1;

    /**
     * A range of guest-physical addresses and its mapping.
     *
     * @param guestAddress address of the first byte, unsigned
     * @param bytes the mapped memory; its size is the size of the region
     * @param mayVanish whether an access can raise SIGBUS, which the JVM reports as an InternalError
     */
    public record Region(long guestAddress, MemorySegment bytes, boolean mayVanish) {
        /** The address after the last byte. */
        long end() {
            return guestAddress + bytes.byteSize();
        }
    }

    private final long[] starts;
    private final long[] sizes;
    private final MemorySegment[] segments;
    private final boolean mayVanish;
    private int lastHit;

    private GuestMemory(List<Region> sorted) {
        starts = sorted.stream().mapToLong(Region::guestAddress).toArray();
        sizes = sorted.stream().mapToLong(region -> region.bytes().byteSize()).toArray();
        segments = sorted.stream().map(Region::bytes).toArray(MemorySegment[]::new);
        mayVanish = sorted.stream().anyMatch(Region::mayVanish);
    }

    /**
     * Guest memory that consists of {@code regions}, in any order.
     *
     * @throws IllegalArgumentException if two regions overlap, or one ends beyond 2^64
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

    /** The index of the region that contains {@code guestAddress}, or {@link #NONE}. */
    public int regionAt(long guestAddress) {
        // Unsigned and without overflow: for an address below the start, the difference is greater than any size.
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

    /** The offset of an address in its region. */
    public long offset(int region, long guestAddress) {
        return guestAddress - starts[region];
    }

    /**
     * The bytes at {@code guestAddress}, or null unless one region contains all {@code length} bytes. Allocates, so it
     * is not for the data path.
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
     * Throws the InternalError of an earlier access that hit vanished memory, if the JVM has not thrown it yet. Called
     * before the loop dispatches the next guest.
     */
    public void throwPendingFault() {
        if (mayVanish) {
            MemoryMapping.throwPendingFault();
        }
    }
}
