package org.vhostuserrng.transport.vhostuser;

import java.util.Set;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;

/**
 * The operator's options for the sessions of vhost-user front-ends.
 *
 * @param memSlots whether to offer VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS; with this feature, QEMU 7.2 does not send
 *     its memory again after a reconnect
 * @param sealedMemoryOnly whether to refuse guest memory that the front-end can truncate
 * @param maxMemoryBytes maximum guest memory of one session in bytes, because all sessions share one address space
 * @param maxRegions maximum number of memory regions of one session, because all sessions share vm.max_map_count
 * @param memoryFileSystems types of file systems whose files may be guest memory, besides memfds, tmpfs, hugetlbfs and
 *     local disks; "any" for all types
 * @param accessPlatform whether to offer VIRTIO_F_ACCESS_PLATFORM, for devices behind an IOMMU; optional, because some
 *     VMMs then offer it to every guest
 * @param busyPollNanos maximum duration of one busy poll of a vring with frequent requests, in nanoseconds; 0 disables
 *     busy polling
 */
public record VhostUserOptions(
        boolean memSlots,
        boolean sealedMemoryOnly,
        long maxMemoryBytes,
        int maxRegions,
        Set<String> memoryFileSystems,
        boolean accessPlatform,
        long busyPollNanos) {
    /**
     * The address space for the guest memory of all sessions: half of a process's address space on x86-64, because a
     * new memory table is mapped before the old one is unmapped.
     */
    public static final long ADDRESS_SPACE_BYTES = 1L << 46;

    /**
     * The minimum of the default limit per guest. With more than 16 guests of this size, the kernel may refuse to map
     * the memory of the last ones.
     */
    private static final long MIN_GUEST_MEMORY_BYTES = 1L << 42;

    /** Maximum number of mappings of this process that are not for guests. */
    private static final long OTHER_MAPPINGS = 4096;
    /** Number of mappings per guest that are not memory regions: dirty log, inflight buffer, journal. */
    private static final long OTHER_MAPPINGS_PER_GUEST = 3;
    /** The minimum per guest: more regions than a VMM without hot-plugged memory uses. */
    private static final int MIN_REGIONS = 8;

    /** The default options, which accept every VMM. */
    public static final VhostUserOptions DEFAULT = new VhostUserOptions(false, false, ADDRESS_SPACE_BYTES, false, 0);

    /**
     * Creates options with as many memory regions as the protocol allows, and without further file systems for memory.
     */
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

    /**
     * Returns the default {@link #maxMemoryBytes} for a number of guests: an equal share of the address space, but at
     * least 4 TiB.
     */
    public static long maxMemoryBytesPerGuest(int guests) {
        return Math.max(MIN_GUEST_MEMORY_BYTES, ADDRESS_SPACE_BYTES / guests);
    }

    /**
     * Returns the {@link #maxRegions} for a number of guests: an equal share of the mappings, but at least 8. The share
     * leaves some mappings, without which the JVM cannot continue.
     *
     * @param mappings the maximum number of mappings of a process: vm.max_map_count
     */
    public static int maxRegionsPerGuest(int guests, long mappings) {
        // Half of the share, because a new memory table is mapped before the old one is unmapped.
        long share = (mappings - OTHER_MAPPINGS) / guests / 2 - OTHER_MAPPINGS_PER_GUEST;
        return Math.clamp(share, MIN_REGIONS, VhostUserConstants.MAX_MEM_SLOTS);
    }
}
