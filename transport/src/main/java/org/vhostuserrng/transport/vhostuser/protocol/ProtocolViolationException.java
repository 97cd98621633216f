package org.vhostuserrng.transport.vhostuser.protocol;

/**
 * Thrown if the front-end violates the protocol. The message states the expected and the received value. The request is
 * refused with a non-zero acknowledgement if the front-end requested one; otherwise the session ends. Never thrown on
 * the data path.
 */
public class ProtocolViolationException extends Exception {
    private static final long serialVersionUID = 1L;

    public ProtocolViolationException(String message) {
        super(message);
    }

    public ProtocolViolationException(String message, Throwable cause) {
        super(message, cause);
    }
}
