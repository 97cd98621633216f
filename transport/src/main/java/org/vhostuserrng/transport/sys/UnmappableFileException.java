package org.vhostuserrng.transport.sys;

import java.io.IOException;

/**
 * Thrown if a file cannot be mapped because of its type, its size, its file system, or the mode in which it was opened.
 */
public final class UnmappableFileException extends IOException {
    private static final long serialVersionUID = 1L;

    public UnmappableFileException(String message) {
        super(message);
    }

    public UnmappableFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
