package org.vhostuserrng.transport;

/** A state that no device can have been in: what is wrong with it. */
public final class InvalidStateException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidStateException(String message) {
        super(message);
    }
}
