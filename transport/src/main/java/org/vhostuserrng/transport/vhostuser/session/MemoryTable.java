package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolation;
import org.vhostuserrng.transport.vhostuser.protocol.ReceivedFds;

/**
 * The memory table of a session: the regions as the front-end described them, each with its mapping. Immutable; a
 * changed table is a new one that shares the mappings of the regions that stay. Before a region is unmapped every ring
 * has to be suspended.
 */
final class MemoryTable {
    /** Each costs time that other guests wait. */
    private static final int MOST_STRETCHES = 64;

    /**
     * Bytes that follow each other in one region.
     *
     * @param guestAddress of the first one
     * @param length at least 1
     */
    record Stretch(long guestAddress, long length) {}

    private record Mapped(MemoryRegion region, MemoryMapping mapping) {
        /** vhost-user, REM_MEM_REG: a region is known by its guest address, its user address and its size. */
        boolean isNamedBy(MemoryRegion named) {
            return region.guestAddress() == named.guestAddress()
                    && region.userAddress().equals(named.userAddress())
                    && region.size() == named.size();
        }
    }

    private final List<Mapped> regions;
    private final GuestMemory guestMemory;

    private MemoryTable(List<Mapped> regions) {
        this.regions = regions;
        this.guestMemory = GuestMemory.of(regions.stream()
                .map(mapped -> new GuestMemory.Region(
                        mapped.region().guestAddress(),
                        mapped.mapping().segment(),
                        mapped.mapping().canVanish()))
                .toList());
    }

    static MemoryTable empty() {
        return new MemoryTable(List.of());
    }

    /**
     * A table of {@code regions}, each mapped from its descriptor, which is closed then.
     *
     * @throws ProtocolViolation if one cannot be mapped, or two overlap; nothing stays mapped then
     */
    static MemoryTable map(List<MemoryRegion> regions, ReceivedFds fds, VhostUserOptions policy)
            throws ProtocolViolation {
        MemoryTable table = empty();
        try {
            for (int i = 0; i < regions.size(); i++) {
                table = table.plus(regions.get(i), fds.get(i), policy);
            }
            return table;
        } catch (ProtocolViolation refused) {
            table.unmap();
            throw refused;
        }
    }

    /** This table and one more region, from a descriptor that is closed once it is mapped. */
    MemoryTable plus(MemoryRegion region, OwnedFd file, VhostUserOptions policy) throws ProtocolViolation {
        MemoryMapping mapping = null;
        try {
            requireRoom(region, policy.mostMemory());
            mapping = MemoryMapping.adopt(file, region.mmapOffset(), region.size());
            if (policy.sealedMemoryOnly() && !mapping.isSealed()) {
                throw new IOException(
                        "memory that cannot be sealed against shrinking, which --require-sealed-memory asks for");
            }
            List<Mapped> more = new ArrayList<>(regions);
            more.add(new Mapped(region, mapping));
            return new MemoryTable(List.copyOf(more));
        } catch (IOException | IllegalArgumentException refused) {
            if (mapping != null) {
                mapping.close();
            }
            throw new ProtocolViolation("memory: " + refused.getMessage(), refused);
        }
    }

    private void requireRoom(MemoryRegion more, long most) throws IOException {
        long mapped = regions.stream().mapToLong(one -> one.region().size()).sum();
        if (Long.compareUnsigned(more.size(), most - mapped) > 0) {
            throw new IOException("region of " + Long.toUnsignedString(more.size()) + " bytes beside " + mapped
                    + ", expected at most " + most + " altogether");
        }
    }

    /** This table without one of its regions, which stays mapped until {@link #unmapExcept}. */
    MemoryTable minus(MemoryRegion named) throws ProtocolViolation {
        List<Mapped> fewer =
                regions.stream().filter(mapped -> !mapped.isNamedBy(named)).toList();
        if (fewer.size() == regions.size()) {
            throw new ProtocolViolation("memory: no region at " + Long.toHexString(named.guestAddress()) + " of "
                    + named.size() + " bytes");
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
     * The guest-physical address of what the front-end sees at {@code address}.
     *
     * @throws ProtocolViolation if no region holds it
     */
    long toGuest(UserAddress address) throws ProtocolViolation {
        return stretchAt(address.value(), false).guestAddress();
    }

    /**
     * Where in guest memory a range is that the front-end sees from {@code address} on: one stretch or, across regions
     * that adjoin there, several.
     *
     * @param size in bytes, unsigned
     * @param byGuestAddress whether the front-end uses guest-physical addresses in place of its own
     * @throws ProtocolViolation if a part of it is in no region, or there are more than {@link #MOST_STRETCHES}
     */
    List<Stretch> stretches(UserAddress address, long size, boolean byGuestAddress) throws ProtocolViolation {
        List<Stretch> stretches = new ArrayList<>();
        long left = size;
        while (left != 0) {
            if (stretches.size() == MOST_STRETCHES) {
                throw new ProtocolViolation("a range across more than " + MOST_STRETCHES + " memory regions");
            }
            Stretch rest = stretchAt(address.value() + (size - left), byGuestAddress);
            long length = Long.compareUnsigned(rest.length(), left) < 0 ? rest.length() : left;
            stretches.add(new Stretch(rest.guestAddress(), length));
            left -= length;
        }
        return stretches;
    }

    /** From an address to the end of its region. */
    private Stretch stretchAt(long address, boolean byGuestAddress) throws ProtocolViolation {
        for (Mapped mapped : regions) {
            MemoryRegion region = mapped.region();
            long begin = byGuestAddress
                    ? region.guestAddress()
                    : region.userAddress().value();
            long offset = address - begin;
            if (Long.compareUnsigned(offset, region.size()) < 0) {
                return new Stretch(region.guestAddress() + offset, region.size() - offset);
            }
        }
        throw new ProtocolViolation("address " + Long.toHexString(address) + " is in no memory region");
    }

    /** Of guest-physical addresses: whether {@code next} describes the region that holds them as this does. */
    LongPredicate staysIn(MemoryTable next) {
        Set<MemoryRegion> described = next.regions.stream().map(Mapped::region).collect(Collectors.toSet());
        NavigableMap<Long, MemoryRegion> staying = new TreeMap<>(Long::compareUnsigned);
        regions.stream()
                .map(Mapped::region)
                .filter(described::contains)
                .forEach(region -> staying.put(region.guestAddress(), region));
        return address -> {
            Map.Entry<Long, MemoryRegion> before = staying.floorEntry(address);
            return before != null
                    && Long.compareUnsigned(
                                    address - before.getKey(), before.getValue().size())
                            < 0;
        };
    }

    /** Unmaps the regions that {@code next} does not have. */
    void unmapExcept(MemoryTable next) {
        regions.stream()
                .map(Mapped::mapping)
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
