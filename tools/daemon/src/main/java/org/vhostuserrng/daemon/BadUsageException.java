package org.vhostuserrng.daemon;

/**
 * Thrown for an invalid command line or configuration file. The message is one line: the option, its value and the
 * permitted values.
 */
final class BadUsageException extends Exception {
    private static final long serialVersionUID = 1L;

    BadUsageException(String message) {
        super(message);
    }

    BadUsageException(String message, Exception cause) {
        super(message, cause);
    }
}
