package org.vhostuserrng.backends;

import java.io.IOException;

/** A source has failed in a way that puts into doubt what it gave before: bytes that were read ahead are not used. */
final class DiscardReadAheadException extends IOException {
    private static final long serialVersionUID = 1;

    DiscardReadAheadException(String reason) {
        super(reason);
    }

    DiscardReadAheadException(IOException cause) {
        super(cause.getMessage(), cause);
    }
}
