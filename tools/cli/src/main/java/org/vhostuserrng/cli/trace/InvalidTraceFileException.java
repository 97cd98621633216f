package org.vhostuserrng.cli.trace;

import java.io.IOException;

/** A file is no record, or not a whole one; the message says what it is instead, to follow the file's name. */
final class InvalidTraceFileException extends IOException {
    private static final long serialVersionUID = 1L;

    InvalidTraceFileException(String message) {
        super(message);
    }
}
