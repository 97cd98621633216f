package org.vhostuserrng.transport.vhostuser.protocol;

/** A violation after which the stream cannot be parsed any further. It always ends the session. */
public final class FramingViolationException extends ProtocolViolationException {
    private static final long serialVersionUID = 1L;

    public FramingViolationException(String message) {
        super(message);
    }
}
