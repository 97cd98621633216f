package org.vhostuserrng.cli.trace;

import java.io.IOException;

/** Thrown if a trace file is invalid or truncated. The message is text to print after the file name. */
final class InvalidTraceFileException extends IOException {
    private static final long serialVersionUID = 1L;

    InvalidTraceFileException(String message) {
        super(message);
    }
}
