package org.vhostuserrng.cli.trace;

import java.util.Optional;
import java.util.stream.Stream;

/** The two sides of the communication. */
enum VhostUserSide {
    FRONT_END(0, "front-end", "front-end ->"),
    BACK_END(1, "back-end", "<- back-end ");

    private final int code;
    private final String displayName;
    private final String arrow;

    VhostUserSide(int code, String text, String arrow) {
        this.code = code;
        this.displayName = text;
        this.arrow = arrow;
    }

    /** What stands for it in a record. */
    int code() {
        return code;
    }

    static Optional<VhostUserSide> byCode(int code) {
        return Stream.of(values()).filter(side -> side.code == code).findFirst();
    }

    /** What the document calls it. */
    String displayName() {
        return displayName;
    }

    /** Itself as a sender; the arrows of both are equally long. */
    String arrow() {
        return arrow;
    }
}
