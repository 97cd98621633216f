package org.vhostuserrng.transport.vhostuser.journal;

import java.io.IOException;

/** A journal cannot be read: it is damaged, or of another version. */
public final class InvalidJournalException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception. */
    public InvalidJournalException(String message) {
        super(message);
    }
}
