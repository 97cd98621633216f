package org.vhostuserrng.backends.readahead;

import java.io.IOException;

/**
 * A source cannot be reached now. Nothing is wrong with the bytes that it returned before: they stay valid, and its
 * start-up tests continue with the bytes that follow.
 */
public final class SourceUnavailableException extends IOException {
    private static final long serialVersionUID = 1;

    /** A failure with a short reason. */
    public SourceUnavailableException(String reason) {
        super(reason);
    }
}
