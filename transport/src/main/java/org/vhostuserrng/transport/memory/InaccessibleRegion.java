package org.vhostuserrng.transport.memory;

/**
 * A region of the guest's memory that this process cannot map, such as the memory of another device.
 *
 * @param guestAddress guest-physical address of the first byte, unsigned
 * @param size in bytes, unsigned, not zero
 * @param reason why the region is not mapped, for log lines
 */
public record InaccessibleRegion(long guestAddress, long size, String reason) {
    /**
     * Returns whether all fields are equal. Replaces {@code equals} of the record, whose code the JVM generates at its
     * first call, which would delay the loop.
     */
    public boolean isSameAs(InaccessibleRegion other) {
        return guestAddress == other.guestAddress && size == other.size && reason.equals(other.reason);
    }

    boolean contains(long address) {
        return Long.compareUnsigned(address - guestAddress, size) < 0;
    }

    /** Describes the region, and the reason why it is not mapped, for a log line. */
    @Override
    public String toString() {
        return "memory region " + Long.toHexString(guestAddress) + " to " + Long.toHexString(guestAddress + size - 1)
                + ", which is not accessible: " + reason;
    }
}
