package org.vhostuserrng.cli.trace;

import java.util.Optional;
import java.util.stream.Stream;

/** The two sides of a vhost-user connection. */
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

    /** The number of this side in a trace file. */
    int code() {
        return code;
    }

    static Optional<VhostUserSide> byCode(int code) {
        return Stream.of(values()).filter(side -> side.code == code).findFirst();
    }

    /** The name of this side in the vhost-user document. */
    String displayName() {
        return displayName;
    }

    /** Text that shows this side as the sender of a message. It has the same length for both sides. */
    String arrow() {
        return arrow;
    }
}
