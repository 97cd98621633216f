package org.vhostuserrng.frontend;

import java.io.IOException;

/** The back-end did not do what the vhost-user document asks of it. */
public final class BackendProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What went wrong. */
    public enum Reason {
        /** The back-end closed the connection. */
        CLOSED,
        /** No reply came in time. */
        TIMEOUT,
        /** A reply came that does not answer the request: another id, wrong flags, wrong size. */
        INVALID_REPLY,
        /** The back-end acknowledged a request with a value other than zero. */
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
