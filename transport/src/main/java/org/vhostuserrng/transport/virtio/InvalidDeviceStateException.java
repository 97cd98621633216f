package org.vhostuserrng.transport.virtio;

/** Thrown if a device state to load is invalid. The message states the reason. */
public final class InvalidDeviceStateException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidDeviceStateException(String message) {
        super(message);
    }
}
