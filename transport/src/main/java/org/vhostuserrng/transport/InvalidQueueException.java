package org.vhostuserrng.transport;

/** A virtqueue that cannot be started: what is wrong with which value. */
public final class InvalidQueueException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidQueueException(String message) {
        super(message);
    }
}
