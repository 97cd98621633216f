package org.vhostuserrng.backends.readahead;

import java.io.IOException;

/** A failure that makes earlier bytes of the source suspect: all blocks read ahead must be discarded. */
public final class DiscardReadAheadException extends IOException {
    private static final long serialVersionUID = 1;

    /** A failure with a short reason. */
    public DiscardReadAheadException(String reason) {
        super(reason);
    }

    /** A failure with the message of {@code cause}. */
    public DiscardReadAheadException(IOException cause) {
        super(cause.getMessage(), cause);
    }
}
