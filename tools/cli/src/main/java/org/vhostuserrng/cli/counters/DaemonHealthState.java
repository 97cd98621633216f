package org.vhostuserrng.cli.counters;

import java.util.Locale;

/** The health of a daemon. */
public enum DaemonHealthState {
    /** The daemon does not run, or does not tell. */
    UNKNOWN,
    OK,
    /** Guests are served, but something needs attention. */
    DEGRADED,
    /** A guest has been waiting for its source for some seconds. */
    FAILED;

    static DaemonHealthState of(long value) {
        return switch ((int) value) {
            case 1 -> OK;
            case 2 -> DEGRADED;
            case 3 -> FAILED;
            default -> UNKNOWN;
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
