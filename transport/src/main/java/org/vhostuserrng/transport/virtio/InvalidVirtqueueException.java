package org.vhostuserrng.transport.virtio;

/** Thrown if a virtqueue cannot start. The message contains the invalid value and the permitted values. */
public final class InvalidVirtqueueException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidVirtqueueException(String message) {
        super(message);
    }
}
