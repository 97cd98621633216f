package org.vhostuserrng.backends.readahead;

import java.io.IOException;

/**
 * Thrown if a source has failed in a way that makes its earlier bytes suspect: all blocks that were read ahead must be
 * discarded.
 */
public final class DiscardReadAheadException extends IOException {
    private static final long serialVersionUID = 1;

    /** Creates an exception with a short reason. */
    public DiscardReadAheadException(String reason) {
        super(reason);
    }

    /** Creates an exception with the message of {@code cause}. */
    public DiscardReadAheadException(IOException cause) {
        super(cause.getMessage(), cause);
    }
}
