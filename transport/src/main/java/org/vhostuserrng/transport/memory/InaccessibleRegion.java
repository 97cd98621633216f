package org.vhostuserrng.transport.memory;

/**
 * A range of guest-physical addresses that belongs to the guest but that this process has not mapped, such as the
 * memory of a device.
 *
 * @param guestAddress address of the first byte, unsigned
 * @param size in bytes, unsigned, not zero
 * @param reason why the region is not mapped, for log lines
 */
public record InaccessibleRegion(long guestAddress, long size, String reason) {
    /** Whether all fields are equal. Not equals, whose generation at first use would delay the loop. */
    public boolean isSameAs(InaccessibleRegion other) {
        return guestAddress == other.guestAddress && size == other.size && reason.equals(other.reason);
    }

    boolean contains(long address) {
        return Long.compareUnsigned(address - guestAddress, size) < 0;
    }

    /** The region and the reason, for a log line. */
    @Override
    public String toString() {
        return "memory region " + Long.toHexString(guestAddress) + " to " + Long.toHexString(guestAddress + size - 1)
                + ", which is not accessible: " + reason;
    }
}
