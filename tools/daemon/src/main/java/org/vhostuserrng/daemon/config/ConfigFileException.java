package org.vhostuserrng.daemon.config;

/** A configuration file that cannot be read. The message is one line: the file, the line if known, and the fault. */
public final class ConfigFileException extends Exception {
    private static final long serialVersionUID = 1L;

    ConfigFileException(String message) {
        super(message);
    }

    ConfigFileException(String message, Exception cause) {
        super(message, cause);
    }
}
