package org.vhostuserrng.transport.vhostuser.journal;

import java.io.IOException;

/** Thrown if a journal cannot be read, because it is damaged or has another version. */
public final class InvalidJournalException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception. The message states the reason. */
    public InvalidJournalException(String message) {
        super(message);
    }
}
