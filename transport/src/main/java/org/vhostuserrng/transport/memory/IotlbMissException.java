package org.vhostuserrng.transport.memory;

/** A virtqueue that cannot be started yet: the {@link VirtqueueAddressSpace} knows which translation is missing. */
public final class IotlbMissException extends Exception {
    private static final long serialVersionUID = 1L;

    public IotlbMissException(long address) {
        super("no translation of " + Long.toHexString(address));
    }
}
