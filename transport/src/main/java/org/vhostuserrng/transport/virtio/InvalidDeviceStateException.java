package org.vhostuserrng.transport.virtio;

/** A state that no device can have been in: what is wrong with it. */
public final class InvalidDeviceStateException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidDeviceStateException(String message) {
        super(message);
    }
}
