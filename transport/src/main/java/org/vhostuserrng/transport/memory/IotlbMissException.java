package org.vhostuserrng.transport.memory;

/** Thrown if a virtqueue cannot start yet, because the IOTLB has no translation of one of its addresses. */
public final class IotlbMissException extends Exception {
    private static final long serialVersionUID = 1L;

    public IotlbMissException(long address) {
        super("no IOTLB entry for " + Long.toHexString(address));
    }
}
