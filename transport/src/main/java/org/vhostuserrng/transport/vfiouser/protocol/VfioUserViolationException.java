package org.vhostuserrng.transport.vfiouser.protocol;

/**
 * The client violated the protocol in a way that ends the session. The message states the expected and the received
 * value. An invalid command does not throw: it is answered with an error. Control path only.
 */
public final class VfioUserViolationException extends Exception {
    private static final long serialVersionUID = 1L;

    public VfioUserViolationException(String message) {
        super(message);
    }

    public VfioUserViolationException(String message, Throwable cause) {
        super(message, cause);
    }
}
