package org.vhostuserrng.transport.vhostuser.protocol;

/**
 * The front-end violated the protocol. The message states the expected and the received value. The request is refused
 * with a non-zero acknowledgement if the front-end requested one; otherwise the session ends. Control path only.
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
