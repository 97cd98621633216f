package org.vhostuserrng.cli.trace;

import java.util.Optional;
import java.util.stream.Stream;

/** The two sides of a traced connection; vfio-user calls them client and server. */
enum TraceSide {
    /** The VMM, which connects. */
    FRONT_END(0),
    /** The program to which the VMM connects. */
    BACK_END(1);

    private final int code;

    TraceSide(int code) {
        this.code = code;
    }

    /** The number of this side in a trace file. */
    int code() {
        return code;
    }

    static Optional<TraceSide> byCode(int code) {
        return Stream.of(values()).filter(side -> side.code == code).findFirst();
    }

    TraceSide other() {
        return this == FRONT_END ? BACK_END : FRONT_END;
    }
}
