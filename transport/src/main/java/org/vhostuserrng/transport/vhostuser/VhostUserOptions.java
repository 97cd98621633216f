package org.vhostuserrng.transport.vhostuser;

import java.util.Set;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;

/**
 * The operator's options for the sessions of vhost-user front-ends.
 *
 * @param memSlots offer VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS, with which QEMU 7.2 sends no memory table after a
 *     reconnect
 * @param sealedMemoryOnly refuse guest memory that the front-end can truncate
 * @param maxMemoryBytes guest memory that one session may map; limited because all sessions share one address space
 * @param maxRegions memory regions of one session; limited because all sessions share the mappings of one process
 * @param memoryFileSystems types of file systems whose files may be guest memory, besides memory and local disks; "any"
 *     for all
 * @param accessPlatform offer VIRTIO_F_ACCESS_PLATFORM, for devices behind an IOMMU; some VMMs pass it to every guest
 * @param busyPollNanos maximum time of one busy poll, for vrings with frequent requests; 0 disables busy polling
 */
public record VhostUserOptions(
        boolean memSlots,
        boolean sealedMemoryOnly,
        long maxMemoryBytes,
        int maxRegions,
        Set<String> memoryFileSystems,
        boolean accessPlatform,
        long busyPollNanos) {
    /** Half of a process's address space on x86-64: a new memory table is mapped before the old one is unmapped. */
    public static final long ADDRESS_SPACE_BYTES = 1L << 46;

    /**
     * The default minimum per guest. With more than 16 guests, the kernel may refuse the memory of the last ones if all
     * of them are this large.
     */
    private static final long MIN_GUEST_MEMORY_BYTES = 1L << 42;

    /** Mappings of this process without guests, with a margin. */
    private static final long OTHER_MAPPINGS = 4096;
    /** Dirty log, inflight buffer, journal. */
    private static final long OTHER_MAPPINGS_PER_GUEST = 3;
    /** More than a VMM without hot-plugged memory uses. */
    private static final int MIN_REGIONS = 8;

    /** The default options, which accept every VMM. */
    public static final VhostUserOptions DEFAULT = new VhostUserOptions(false, false, ADDRESS_SPACE_BYTES, false, 0);

    /** Options with as many memory regions as the protocol allows, and without further file systems for memory. */
    public VhostUserOptions(
            boolean memSlots,
            boolean sealedMemoryOnly,
            long maxMemoryBytes,
            boolean accessPlatform,
            long busyPollNanos) {
        this(
                memSlots,
                sealedMemoryOnly,
                maxMemoryBytes,
                VhostUserConstants.MAX_MEM_SLOTS,
                Set.of(),
                accessPlatform,
                busyPollNanos);
    }

    /** The default {@link #maxMemoryBytes} for a number of guests: an equal share of the address space, or 4 TiB. */
    public static long maxMemoryBytesPerGuest(int guests) {
        return Math.max(MIN_GUEST_MEMORY_BYTES, ADDRESS_SPACE_BYTES / guests);
    }

    /**
     * The {@link #maxRegions} for a number of guests: an equal share of the mappings, at least 8. A process that has
     * none left cannot go on.
     *
     * @param mappings the number of mappings that a process may have: vm.max_map_count
     */
    public static int maxRegionsPerGuest(int guests, long mappings) {
        // A new memory table is mapped before the old one is unmapped.
        long share = (mappings - OTHER_MAPPINGS) / guests / 2 - OTHER_MAPPINGS_PER_GUEST;
        return Math.clamp(share, MIN_REGIONS, VhostUserConstants.MAX_MEM_SLOTS);
    }
}
