package org.vhostuserrng.transport.virtio;

/** A virtqueue cannot start. The message names the invalid value and what is allowed. */
public final class InvalidVirtqueueException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidVirtqueueException(String message) {
        super(message);
    }
}
