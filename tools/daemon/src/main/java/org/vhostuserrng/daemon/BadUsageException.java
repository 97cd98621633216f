package org.vhostuserrng.daemon;

/** A command line that cannot be followed: one line that names the option, the value and what is allowed. */
final class BadUsageException extends Exception {
    private static final long serialVersionUID = 1L;

    BadUsageException(String message) {
        super(message);
    }

    BadUsageException(String message, Exception cause) {
        super(message, cause);
    }
}
