package org.vhostuserrng.transport.vhostuser.protocol;

/**
 * The front-end is wrong: what was expected and what came. Answered with a non-zero acknowledgement if one was asked
 * for, else by closing this front-end's session. Control path only.
 */
public class ProtocolViolation extends Exception {
    private static final long serialVersionUID = 1L;

    public ProtocolViolation(String message) {
        super(message);
    }

    public ProtocolViolation(String message, Throwable cause) {
        super(message, cause);
    }
}
