package org.vhostuserrng.transport.virtio;

/** A virtqueue that cannot be started: what is wrong with which value. */
public final class InvalidVirtqueueException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidVirtqueueException(String message) {
        super(message);
    }
}
