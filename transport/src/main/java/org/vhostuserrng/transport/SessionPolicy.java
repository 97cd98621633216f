package org.vhostuserrng.transport;

/**
 * What an operator decides about the sessions of vhost-user front-ends.
 *
 * @param memSlots offer VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS; QEMU 7.2 sends no memory after a reconnect then
 * @param sealedMemoryOnly refuse guest memory that the front-end could truncate
 * @param accessPlatform offer VIRTIO_F_ACCESS_PLATFORM, for devices behind an IOMMU; some VMMs hand it on to every guest
 * @param lookNanos how long to look at a ring for its next request before sleeping, where requests come that fast; 0 to
 *     sleep at once
 */
public record SessionPolicy(boolean memSlots, boolean sealedMemoryOnly, boolean accessPlatform, long lookNanos) {
    /** What is served unless something else is said: every VMM, with the memory it has. */
    public static final SessionPolicy DEFAULT = new SessionPolicy(false, false, false, 0);
}
