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

/**
 * The memory table of a session: the regions as the front-end described them, and their mappings. Closing it unmaps
 * them, so every ring has to be stopped before.
 */
final class MemoryTable implements AutoCloseable {
    private final List<MemoryRegion> regions;
    private final List<Mapping> mappings;
    private final GuestMemory guestMemory;

    private MemoryTable(List<MemoryRegion> regions, List<Mapping> mappings, GuestMemory guestMemory) {
        this.regions = regions;
        this.mappings = mappings;
        this.guestMemory = guestMemory;
    }

    /** The table of a session that has not sent one. */
    static MemoryTable empty() {
        return new MemoryTable(List.of(), List.of(), GuestMemory.of(List.of()));
    }

    /**
     * Maps each region from its descriptor; the descriptors stay the caller's.
     *
     * @throws ProtocolViolation if one cannot be mapped, or they overlap; nothing stays mapped then
     */
    static MemoryTable map(List<MemoryRegion> regions, ReceivedFds fds) throws ProtocolViolation {
        List<Mapping> mappings = new ArrayList<>(regions.size());
        try {
            List<GuestMemory.Region> memory = new ArrayList<>(regions.size());
            for (int i = 0; i < regions.size(); i++) {
                MemoryRegion region = regions.get(i);
                Mapping mapping = Mapping.of(fds.get(i), region.mmapOffset(), region.size());
                mappings.add(mapping);
                memory.add(new GuestMemory.Region(region.guestAddress(), mapping.segment(), !mapping.isSealed()));
            }
            return new MemoryTable(List.copyOf(regions), mappings, GuestMemory.of(memory));
        } catch (IOException | IllegalArgumentException refused) {
            mappings.forEach(Mapping::close);
            throw new ProtocolViolation("memory table: " + refused.getMessage(), refused);
        }
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
        for (MemoryRegion region : regions) {
            long offset = address.value() - region.userAddress().value();
            if (Long.compareUnsigned(offset, region.size()) < 0) {
                return region.guestAddress() + offset;
            }
        }
        throw new ProtocolViolation("ring address " + Long.toHexString(address.value()) + " is in no memory region");
    }

    @Override
    public void close() {
        mappings.forEach(Mapping::close);
    }
}
