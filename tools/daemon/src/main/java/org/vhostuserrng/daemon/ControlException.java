package org.vhostuserrng.daemon;

import java.io.Serial;

/** A command of a control client that failed and changed nothing. The message is for the client. */
final class ControlException extends Exception {
    @Serial
    private static final long serialVersionUID = 1;

    ControlException(String message) {
        super(message);
    }

    ControlException(String message, Throwable cause) {
        super(message, cause);
    }
}
