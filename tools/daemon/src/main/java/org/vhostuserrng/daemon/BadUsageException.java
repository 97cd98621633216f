package org.vhostuserrng.daemon;

/** An invalid command line. The message is one line with the option, its value and the permitted values. */
final class BadUsageException extends Exception {
    private static final long serialVersionUID = 1L;

    BadUsageException(String message) {
        super(message);
    }

    BadUsageException(String message, Exception cause) {
        super(message, cause);
    }
}
