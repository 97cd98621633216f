package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.stream.Stream;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.InaccessibleRegion;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnmappableFileException;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;

/**
 * The memory table of a session: the regions as the front-end described them, with their mappings. A region whose file
 * cannot be mapped, such as the memory of a device, is in the table, but is not accessible. Immutable: a change creates
 * a new table that shares the mappings of unchanged regions. All vrings must be suspended before a region is unmapped.
 * Confined to the loop's thread, except for {@link #map}.
 */
final class MemoryTable {
    /** Maximum number of ranges in one IOTLB update, because other guests wait while the ranges are processed. */
    private static final int MAX_RANGES = 64;

    /**
     * A range of guest-physical addresses within one region.
     *
     * @param guestAddress address of the first byte
     * @param length the length in bytes, at least 1
     */
    record GuestRange(long guestAddress, long length) {}

    /**
     * A region of the table.
     *
     * @param fd the ID of the region's descriptor
     * @param mapping the mapped region; null if the region is not accessible
     * @param unmappable the reason why the region is not accessible; null if it is mapped
     */
    private record TableRegion(MemoryRegion region, long fd, MemoryMapping mapping, String unmappable) {
        boolean isMapped() {
            return mapping != null;
        }

        GuestMemory.Region mappedRegion() {
            return new GuestMemory.Region(
                    region.guestAddress(), mapping.segment(), mapping.canVanish(), mapping.hugePages());
        }

        void unmap() {
            if (isMapped()) {
                mapping.close();
            }
        }

        InaccessibleRegion inaccessibleRegion() {
            return new InaccessibleRegion(region.guestAddress(), region.size(), unmappable);
        }
    }

    /** Regions that {@link #map} has mapped and that are not in a table yet. */
    record MappedRegions(List<TableRegion> regions) implements AutoCloseable {
        @Override
        public void close() {
            regions.forEach(TableRegion::unmap);
        }
    }

    private final List<TableRegion> regions;
    private final GuestMemory guestMemory;

    private MemoryTable(List<TableRegion> regions) {
        this.regions = regions;
        this.guestMemory = GuestMemory.of(
                regions.stream()
                        .filter(TableRegion::isMapped)
                        .map(TableRegion::mappedRegion)
                        .toList(),
                inaccessibleRegions());
    }

    static MemoryTable empty() {
        return new MemoryTable(List.of());
    }

    /**
     * Maps more regions, each from the descriptor with the same index, and closes the descriptors. May block, so it
     * must be called in the front-end's {@link PeerFileExecutor}.
     *
     * @throws IOException if a region is invalid or exceeds a limit of the operator, or if the host lacks a resource;
     *     none of the regions remains mapped
     */
    MappedRegions map(List<MemoryRegion> more, List<OwnedFd> files, VhostUserOptions options) throws IOException {
        List<TableRegion> mapped = new ArrayList<>();
        long left = options.maxMemoryBytes() - mappedBytes();
        try {
            if (more.size() > options.maxRegions() - regions.size()) {
                throw new IOException(
                        "more than " + options.maxRegions() + " regions, the share of this guest in vm.max_map_count");
            }
            for (int i = 0; i < more.size(); i++) {
                TableRegion next = map(more.get(i), files.get(i), left, options);
                mapped.add(next);
                left -= next.isMapped() ? next.region().size() : 0;
            }
            return new MappedRegions(mapped);
        } catch (IOException refused) {
            mapped.forEach(TableRegion::unmap);
            files.forEach(OwnedFd::close);
            throw refused;
        }
    }

    private static TableRegion map(MemoryRegion region, OwnedFd file, long left, VhostUserOptions options)
            throws IOException {
        MemoryMapping mapping;
        long fd = file.id();
        try {
            requireValid(region, left, options);
            mapping = MemoryMapping.adopt(file, region.mmapOffset(), region.size(), options.memoryFileSystems());
        } catch (UnmappableFileException unmappable) {
            return new TableRegion(region, fd, null, unmappable.getMessage());
        } finally {
            file.close();
        }
        if (options.sealedMemoryOnly() && !mapping.isSealed()) {
            mapping.close();
            throw new IOException("memory cannot be sealed against shrinking, but --require-sealed-memory is set");
        }
        return new TableRegion(region, fd, mapping, null);
    }

    private static void requireValid(MemoryRegion region, long left, VhostUserOptions options) throws IOException {
        if (region.size() <= 0 || region.mmapOffset() < 0) {
            throw new IOException("region of " + Long.toUnsignedString(region.size()) + " bytes from offset "
                    + Long.toUnsignedString(region.mmapOffset()) + ", expected 1 to 2^63-1 bytes and an offset below"
                    + " 2^63");
        }
        if (region.size() > left) {
            throw new IOException("region of " + region.size() + " bytes in addition to "
                    + (options.maxMemoryBytes() - left) + ", expected at most " + options.maxMemoryBytes()
                    + " in all regions (" + (options.maxMemoryBytes() >> 30) + " GiB, --max-guest-memory)");
        }
    }

    private long mappedBytes() {
        return regions.stream()
                .filter(TableRegion::isMapped)
                .mapToLong(mapped -> mapped.region().size())
                .sum();
    }

    /**
     * Returns a table with additional regions, which {@link #map} has mapped.
     *
     * @throws ProtocolViolationException if regions overlap; the additional regions are then unmapped
     */
    MemoryTable plus(MappedRegions added) throws ProtocolViolationException {
        added.regions().stream()
                .filter(TableRegion::isMapped)
                .forEach(region -> region.mapping().open());
        try {
            return new MemoryTable(
                    Stream.concat(regions.stream(), added.regions().stream()).toList());
        } catch (IllegalArgumentException overlap) {
            added.close();
            throw new ProtocolViolationException("memory: " + overlap.getMessage(), overlap);
        }
    }

    /**
     * Returns a table without one of the regions. The region remains mapped until {@link #unmapExcept}.
     *
     * @throws ProtocolViolationException if the table has no such region
     */
    MemoryTable minus(MemoryRegion named) throws ProtocolViolationException {
        List<TableRegion> fewer = regions.stream()
                .filter(mapped -> !mapped.region().isIdentifiedBy(named))
                .toList();
        if (fewer.size() == regions.size()) {
            throw new ProtocolViolationException("memory: no region at " + Long.toHexString(named.guestAddress())
                    + " of " + named.size() + " bytes");
        }
        return new MemoryTable(fewer);
    }

    int size() {
        return regions.size();
    }

    GuestMemory guestMemory() {
        return guestMemory;
    }

    /**
     * Converts a user address to a guest-physical address.
     *
     * @throws ProtocolViolationException if no region contains the address
     */
    long toGuestAddress(UserAddress address) throws ProtocolViolationException {
        return rangeFrom(address.value(), false).guestAddress();
    }

    /**
     * Converts a range of user addresses, or of guest-physical addresses, to guest-physical ranges, each within one
     * region.
     *
     * @param size the size of the range in bytes, unsigned
     * @param guestAddresses true if {@code address} is a guest-physical address, false if it is a user address
     * @throws ProtocolViolationException if a part of the range is in no region, or if it covers more than
     *     {@link #MAX_RANGES} regions
     */
    List<GuestRange> guestRanges(UserAddress address, long size, boolean guestAddresses)
            throws ProtocolViolationException {
        List<GuestRange> ranges = new ArrayList<>();
        long left = size;
        while (left != 0) {
            if (ranges.size() == MAX_RANGES) {
                throw new ProtocolViolationException("a range across more than " + MAX_RANGES + " memory regions");
            }
            GuestRange rest = rangeFrom(address.value() + (size - left), guestAddresses);
            long length = Long.compareUnsigned(rest.length(), left) < 0 ? rest.length() : left;
            ranges.add(new GuestRange(rest.guestAddress(), length));
            left -= length;
        }
        return ranges;
    }

    /** Returns the range from an address to the end of the region that contains it. */
    private GuestRange rangeFrom(long address, boolean guestAddresses) throws ProtocolViolationException {
        for (TableRegion mapped : regions) {
            MemoryRegion region = mapped.region();
            long begin = guestAddresses
                    ? region.guestAddress()
                    : region.userAddress().value();
            long offset = address - begin;
            if (Long.compareUnsigned(offset, region.size()) < 0) {
                return new GuestRange(region.guestAddress() + offset, region.size() - offset);
            }
        }
        throw new ProtocolViolationException("address " + Long.toHexString(address)
                + " is in no memory region; is all memory of the guest shared (QEMU: share=on)?");
    }

    /**
     * Returns a predicate that tests whether the region that contains a guest-physical address is also in another
     * table, unchanged.
     */
    LongPredicate isUnchangedIn(MemoryTable next) {
        NavigableMap<Long, MemoryRegion> unchanged = new TreeMap<>(Long::compareUnsigned);
        for (MemoryRegion region : descriptions()) {
            if (next.regions.stream().anyMatch(mapped -> mapped.region().isSameAs(region))) {
                unchanged.put(region.guestAddress(), region);
            }
        }
        return address -> {
            Map.Entry<Long, MemoryRegion> before = unchanged.floorEntry(address);
            return before != null
                    && Long.compareUnsigned(
                                    address - before.getKey(), before.getValue().size())
                            < 0;
        };
    }

    /** Returns the regions as the front-end described them. */
    List<MemoryRegion> descriptions() {
        return regions.stream().map(TableRegion::region).toList();
    }

    /** Returns the IDs of the regions' descriptors, in the order of {@link #descriptions}. */
    List<Long> fds() {
        return regions.stream().map(TableRegion::fd).toList();
    }

    /** Returns the regions that are not accessible, with the reasons. */
    List<InaccessibleRegion> inaccessibleRegions() {
        return regions.stream()
                .filter(region -> !region.isMapped())
                .map(TableRegion::inaccessibleRegion)
                .toList();
    }

    /** Unmaps the regions that are not in {@code next}. */
    void unmapExcept(MemoryTable next) {
        regions.stream()
                .filter(TableRegion::isMapped)
                .map(TableRegion::mapping)
                .filter(mapping -> !next.has(mapping))
                .forEach(MemoryMapping::close);
    }

    private boolean has(MemoryMapping mapping) {
        return regions.stream().anyMatch(mapped -> mapped.mapping() == mapping);
    }

    void unmap() {
        unmapExcept(empty());
    }
}
