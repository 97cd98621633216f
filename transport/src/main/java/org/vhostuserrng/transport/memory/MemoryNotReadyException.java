package org.vhostuserrng.transport.memory;

/**
 * A virtqueue cannot start yet: its {@link VirtqueueAddressSpace} lacks a translation, or an area of the virtqueue is
 * in a huge page that must be allocated first ({@link VirtqueueAddressSpace#isHugePageMissing}), or in memory that must
 * be copied ({@link VirtqueueAddressSpace#isCopyMissing}).
 */
public final class MemoryNotReadyException extends Exception {
    private static final long serialVersionUID = 1L;

    private MemoryNotReadyException(String message) {
        super(message);
    }

    /** The IOTLB has no entry for an address. */
    public static MemoryNotReadyException noIotlbEntry(long iova) {
        return new MemoryNotReadyException("no IOTLB entry for " + Long.toHexString(iova));
    }

    static MemoryNotReadyException noHugePage(long guestAddress) {
        return new MemoryNotReadyException("no huge page for guest address " + Long.toHexString(guestAddress));
    }
}
