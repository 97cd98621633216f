package org.vhostuserrng.transport.memory;

/** A virtqueue cannot start yet: its {@link VirtqueueAddressSpace} lacks a translation. */
public final class IotlbMissException extends Exception {
    private static final long serialVersionUID = 1L;

    public IotlbMissException(long address) {
        super("no IOTLB entry for " + Long.toHexString(address));
    }
}
