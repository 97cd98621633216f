package org.vhostuserrng.cli.counters;

import java.io.IOException;

/** Thrown if a file is not a valid counters file. The message states the reason without the path. */
public final class InvalidCountersFileException extends IOException {
    private static final long serialVersionUID = 1L;

    InvalidCountersFileException(String reason) {
        super(reason);
    }
}
