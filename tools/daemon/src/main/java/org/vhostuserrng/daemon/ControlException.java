package org.vhostuserrng.daemon;

import java.io.Serial;

/** Thrown if a command of a control client fails; it has then changed nothing. The client receives the message. */
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
