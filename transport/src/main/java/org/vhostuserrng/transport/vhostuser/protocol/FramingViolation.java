package org.vhostuserrng.transport.vhostuser.protocol;

/** A violation after which the next message cannot be found in the stream: the session always closes. */
public final class FramingViolation extends ProtocolViolation {
    private static final long serialVersionUID = 1L;

    public FramingViolation(String message) {
        super(message);
    }
}
