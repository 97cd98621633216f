package org.vhostuserrng.transport.vhostuser.protocol;

/** Thrown if the front-end's stream cannot be parsed any further. Always ends the session. */
public final class FramingViolationException extends ProtocolViolationException {
    private static final long serialVersionUID = 1L;

    public FramingViolationException(String message) {
        super(message);
    }
}
