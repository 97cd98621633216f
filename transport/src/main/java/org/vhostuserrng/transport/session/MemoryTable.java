package org.vhostuserrng.transport.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.GuestMemory;
import org.vhostuserrng.transport.protocol.ProtocolViolation;
import org.vhostuserrng.transport.protocol.ReceivedFds;
import org.vhostuserrng.transport.protocol.Request.MemoryRegion;
import org.vhostuserrng.transport.protocol.Request.UserAddress;
import org.vhostuserrng.transport.sys.Mapping;
import org.vhostuserrng.transport.sys.OwnedFd;

/**
 * The memory table of a session: the regions as the front-end described them, each with its mapping. Immutable; a
 * changed table is a new one that shares the mappings of the regions that stay. Before a region is unmapped every ring
 * has to be suspended.
 */
final class MemoryTable {
    private record Mapped(MemoryRegion region, Mapping mapping) {
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
                        !mapped.mapping().isSealed()))
                .toList());
    }

    static MemoryTable empty() {
        return new MemoryTable(List.of());
    }

    /**
     * A table of {@code regions}, each mapped from its descriptor; the descriptors stay the caller's.
     *
     * @param sealedOnly refuse memory that others can truncate
     * @throws ProtocolViolation if one cannot be mapped, or two overlap; nothing stays mapped then
     */
    static MemoryTable map(List<MemoryRegion> regions, ReceivedFds fds, boolean sealedOnly) throws ProtocolViolation {
        MemoryTable table = empty();
        try {
            for (int i = 0; i < regions.size(); i++) {
                table = table.plus(regions.get(i), fds.get(i), sealedOnly);
            }
            return table;
        } catch (ProtocolViolation refused) {
            table.unmap();
            throw refused;
        }
    }

    /** This table and one more region. */
    MemoryTable plus(MemoryRegion region, OwnedFd file, boolean sealedOnly) throws ProtocolViolation {
        Mapping mapping = null;
        try {
            mapping = Mapping.of(file, region.mmapOffset(), region.size());
            if (sealedOnly && !mapping.isSealed()) {
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
        for (Mapped mapped : regions) {
            MemoryRegion region = mapped.region();
            long offset = address.value() - region.userAddress().value();
            if (Long.compareUnsigned(offset, region.size()) < 0) {
                return region.guestAddress() + offset;
            }
        }
        throw new ProtocolViolation("ring address " + Long.toHexString(address.value()) + " is in no memory region");
    }

    /** Unmaps the regions that {@code next} does not have. */
    void unmapExcept(MemoryTable next) {
        regions.stream()
                .filter(mapped -> !next.regions.contains(mapped))
                .forEach(mapped -> mapped.mapping().close());
    }

    void unmap() {
        unmapExcept(empty());
    }
}
