package org.vhostuserrng.transport.vhostuser;

/**
 * What an operator decides about the sessions of vhost-user front-ends.
 *
 * @param memSlots offer VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS; QEMU 7.2 sends no memory after a reconnect then
 * @param sealedMemoryOnly refuse guest memory that the front-end could truncate
 * @param mostMemory bytes of guest memory that one session may have mapped, as all sessions share one address space
 * @param accessPlatform offer VIRTIO_F_ACCESS_PLATFORM, for devices behind an IOMMU; some VMMs hand it on to every guest
 * @param lookNanos how long to look at a ring for its next request before sleeping, where requests come that fast; 0 to
 *     sleep at once
 */
public record VhostUserOptions(
        boolean memSlots, boolean sealedMemoryOnly, long mostMemory, boolean accessPlatform, long lookNanos) {
    /** Half of what x86-64 gives a process: a table is mapped before the one that it replaces is unmapped. */
    private static final long ADDRESS_SPACE = 1L << 46;

    /** What a guest may well have, however many there are: with more than 64 it is for the kernel to refuse the last ones. */
    private static final long LEAST_MEMORY = 1L << 40;

    /** What is served unless something else is said: every VMM, with the memory it has. */
    public static final VhostUserOptions DEFAULT = new VhostUserOptions(false, false, ADDRESS_SPACE, false, 0);

    /** What {@link #mostMemory} is for each of so many guests, so that none can take the others' from them. */
    public static long memoryOfEach(int guests) {
        return Math.max(LEAST_MEMORY, ADDRESS_SPACE / guests);
    }
}
