package org.vhostuserrng.backends.readahead;

import java.io.IOException;

/** A source has failed in a way that puts into doubt what it gave before: bytes that were read ahead are not used. */
public final class DiscardReadAheadException extends IOException {
    private static final long serialVersionUID = 1;

    public DiscardReadAheadException(String reason) {
        super(reason);
    }

    public DiscardReadAheadException(IOException cause) {
        super(cause.getMessage(), cause);
    }
}
