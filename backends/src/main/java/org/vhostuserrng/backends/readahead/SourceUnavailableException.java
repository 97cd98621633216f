package org.vhostuserrng.backends.readahead;

import java.io.IOException;

/**
 * Thrown if a source cannot be reached now. The bytes that it returned before stay valid, and its start-up tests
 * continue with the bytes that follow.
 */
public final class SourceUnavailableException extends IOException {
    private static final long serialVersionUID = 1;

    /** Creates an exception with a short reason. */
    public SourceUnavailableException(String reason) {
        super(reason);
    }
}
