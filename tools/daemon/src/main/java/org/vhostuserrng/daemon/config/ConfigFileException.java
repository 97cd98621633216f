package org.vhostuserrng.daemon.config;

/**
 * Thrown if a configuration file cannot be read or is malformed. The message is one line: the file, the line number if
 * known, and the fault.
 */
public final class ConfigFileException extends Exception {
    private static final long serialVersionUID = 1L;

    ConfigFileException(String message) {
        super(message);
    }

    ConfigFileException(String message, Exception cause) {
        super(message, cause);
    }
}
