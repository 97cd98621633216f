package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;
import org.vhostuserrng.transport.sys.HugePages;
import org.vhostuserrng.transport.sys.MemoryMapping;

/**
 * The memory of a guest: non-overlapping regions, looked up by guest-physical address. The set of regions is immutable,
 * but a lookup caches its last hit, so the object is confined to the loop's thread. Lookups neither allocate nor throw,
 * because the guest chooses the address.
 */
public final class GuestMemory {
    /** Returned by {@link #regionAt} if no mapped region contains the address. */
    public static final int NONE = -1;

    /**
     * A range of guest-physical addresses and its mapping.
     *
     * @param guestAddress guest-physical address of the first byte, unsigned
     * @param bytes the mapped memory; its size is the size of the region
     * @param mayVanish whether an access can raise SIGBUS, which the JVM reports as an InternalError
     * @param hugePages null unless the memory consists of huge pages
     * @param isCopy whether the bytes are private memory of this process, which the transport copies from and to the
     *     guest by messages
     */
    @SuppressWarnings("exports")
    public record Region(
            long guestAddress, MemorySegment bytes, boolean mayVanish, HugePages hugePages, boolean isCopy) {
        /** A mapped region. */
        public Region(long guestAddress, MemorySegment bytes, boolean mayVanish, HugePages hugePages) {
            this(guestAddress, bytes, mayVanish, hugePages, false);
        }

        /** A mapped region that does not consist of huge pages. */
        public Region(long guestAddress, MemorySegment bytes, boolean mayVanish) {
            this(guestAddress, bytes, mayVanish, null, false);
        }

        /** A region whose bytes are a copy. */
        public static Region copy(long guestAddress, MemorySegment bytes) {
            return new Region(guestAddress, bytes, false, null, true);
        }

        private Extent extent() {
            return new Extent(guestAddress, bytes.byteSize());
        }
    }

    private record Extent(long guestAddress, long size) {
        long last() {
            return guestAddress + size - 1;
        }
    }

    private final long[] starts;
    private final long[] sizes;
    private final MemorySegment[] segments;
    /** Null for a region that does not consist of huge pages. */
    private final HugePages[] hugePages;

    private final boolean[] copies;
    private final boolean mayVanish;
    private final List<InaccessibleRegion> inaccessible;
    private int lastHit;

    private GuestMemory(List<Region> sorted, List<InaccessibleRegion> inaccessible) {
        this.inaccessible = List.copyOf(inaccessible);
        starts = sorted.stream().mapToLong(Region::guestAddress).toArray();
        sizes = sorted.stream().mapToLong(region -> region.bytes().byteSize()).toArray();
        segments = sorted.stream().map(Region::bytes).toArray(MemorySegment[]::new);
        hugePages = sorted.stream().map(Region::hugePages).toArray(HugePages[]::new);
        copies = new boolean[sorted.size()];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = sorted.get(i).isCopy();
        }
        mayVanish = sorted.stream().anyMatch(Region::mayVanish);
    }

    /**
     * Creates guest memory that consists of {@code regions}, in any order.
     *
     * @throws IllegalArgumentException if two regions overlap, or one ends beyond 2^64
     */
    public static GuestMemory of(List<Region> regions) {
        return of(regions, List.of());
    }

    /**
     * Creates guest memory that consists of {@code regions} and of regions that are not mapped, in any order.
     *
     * @throws IllegalArgumentException if two regions overlap, or one ends beyond 2^64
     */
    public static GuestMemory of(List<Region> regions, List<InaccessibleRegion> inaccessible) {
        requireDisjoint(Stream.concat(
                        regions.stream().map(Region::extent),
                        inaccessible.stream().map(region -> new Extent(region.guestAddress(), region.size())))
                .sorted((one, other) -> Long.compareUnsigned(one.guestAddress(), other.guestAddress()))
                .toList());
        return new GuestMemory(
                regions.stream()
                        .sorted((one, other) -> Long.compareUnsigned(one.guestAddress(), other.guestAddress()))
                        .toList(),
                inaccessible);
    }

    private static void requireDisjoint(List<Extent> sorted) {
        for (int i = 0; i < sorted.size(); i++) {
            Extent region = sorted.get(i);
            if (Long.compareUnsigned(region.last(), region.guestAddress()) < 0) {
                throw new IllegalArgumentException("region at " + Long.toHexString(region.guestAddress()) + " of "
                        + Long.toUnsignedString(region.size()) + " bytes ends beyond 2^64");
            }
            if (i > 0 && Long.compareUnsigned(sorted.get(i - 1).last(), region.guestAddress()) >= 0) {
                throw new IllegalArgumentException(
                        "region at " + Long.toHexString(region.guestAddress()) + " overlaps the one before it");
            }
        }
    }

    /** Returns the index of the mapped region that contains {@code guestAddress}, or {@link #NONE}. */
    public int regionAt(long guestAddress) {
        // Safe from overflow: for an address below the start, the unsigned difference is greater than any region's
        // size.
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

    /** Returns the number of mapped regions, including copies. */
    public int regionCount() {
        return starts.length;
    }

    /** Returns the bytes of the region with an index. */
    public MemorySegment bytes(int region) {
        return segments[region];
    }

    /** Returns the offset in bytes of an address in its region. */
    public long offset(int region, long guestAddress) {
        return guestAddress - starts[region];
    }

    /** Returns the address of an offset in a region: the inverse of {@link #offset}. */
    public long guestAddress(int region, long offset) {
        return starts[region] + offset;
    }

    /** Whether the bytes of the region with an index are a copy: {@link Region#isCopy}. */
    public boolean isCopy(int region) {
        return copies[region];
    }

    /** Whether an access to a range of a region allocates no huge page. See {@link HugePages#areAllocated}. */
    boolean isAllocated(int region, long offset, long length) {
        HugePages pages = hugePages[region];
        return pages == null || pages.areAllocated(segments[region].address() + offset, length);
    }

    /** Prepares to allocate the huge pages of a range of a region. */
    HugePages.Fault hugePageFault(int region, long offset, long length) {
        return hugePages[region].fault(segments[region].address() + offset, length);
    }

    /**
     * Returns {@code length} bytes at {@code guestAddress}; null if no mapped region contains all of them. Allocates,
     * so it must not be called on the data path.
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
     * Returns whether a region that is not mapped contains {@code guestAddress}. Slow, for faults: searches linearly.
     */
    boolean isInaccessible(long guestAddress) {
        return inaccessibleAt(guestAddress) != null;
    }

    private InaccessibleRegion inaccessibleAt(long guestAddress) {
        for (int i = 0; i < inaccessible.size(); i++) {
            if (inaccessible.get(i).contains(guestAddress)) {
                return inaccessible.get(i);
            }
        }
        return null;
    }

    /**
     * Returns the end of the mapped region that contains {@code guestAddress}; {@code guestAddress} if there is none.
     */
    long firstOutsideRegion(long guestAddress) {
        int region = regionAt(guestAddress);
        return region == NONE ? guestAddress : starts[region] + sizes[region];
    }

    /** Describes, for a log line, where {@code guestAddress} is. For an address at which an access failed. */
    String describeOutside(long guestAddress) {
        String address = "guest address " + Long.toHexString(guestAddress);
        InaccessibleRegion region = inaccessibleAt(guestAddress);
        if (region != null) {
            return address + " is in " + region;
        }
        return regionAt(guestAddress) == NONE
                ? address + " is in no memory region of the front-end; is all memory of the guest shared (QEMU:"
                        + " share=on)?"
                : "its bytes from " + address + " on are mapped elsewhere";
    }

    /**
     * Throws the InternalError of an earlier access to vanished memory, if the JVM has not thrown it yet. Must be
     * called before the loop dispatches the next guest.
     */
    public void throwPendingFault() {
        if (mayVanish) {
            MemoryMapping.throwPendingFault();
        }
    }
}
