package org.vhostuserrng.frontend;

import java.io.IOException;

/** Thrown if the back-end violates the vhost-user protocol. */
public final class BackendProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The kind of violation. */
    public enum Reason {
        /** The back-end closed the connection. */
        CLOSED,
        /** No reply arrived within the timeout. */
        TIMEOUT,
        /** The reply does not match the request: another message id, wrong flags or wrong size. */
        INVALID_REPLY,
        /** The back-end acknowledged a request with a non-zero value (REPLY_ACK). */
        NACK
    }

    private final Reason reason;

    public BackendProtocolException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
