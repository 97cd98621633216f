package org.vhostuserrng.transport.virtio;

/** A device state is invalid. The message states the reason. */
public final class InvalidDeviceStateException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidDeviceStateException(String message) {
        super(message);
    }
}
