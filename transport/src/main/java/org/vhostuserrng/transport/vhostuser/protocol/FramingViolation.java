package org.vhostuserrng.transport.vhostuser.protocol;

/** A violation after which the stream cannot be parsed any further. It always ends the session. */
public final class FramingViolation extends ProtocolViolation {
    private static final long serialVersionUID = 1L;

    public FramingViolation(String message) {
        super(message);
    }
}
