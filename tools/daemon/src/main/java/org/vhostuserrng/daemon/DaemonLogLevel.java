package org.vhostuserrng.daemon;

import org.vhostuserrng.daemon.log.LogThreshold;

/** {@code --log-level}. */
final class DaemonLogLevel {
    static final String EXPECTED = "expected error, warn, info or debug";

    private DaemonLogLevel() {}

    /**
     * Returns the level of {@code --log-level}; null if the option is absent.
     *
     * @throws BadUsageException if the value is not a level
     */
    static String of(DaemonArguments arguments) throws BadUsageException {
        OptionValue level = arguments.value(DaemonOptions.LOG_LEVEL);
        return level == null ? null : require(level);
    }

    /** The level that an option or an argument names. */
    static String require(OptionValue level) throws BadUsageException {
        if (!LogThreshold.LEVELS.contains(level.text())) {
            throw level.refused(EXPECTED);
        }
        return level.text();
    }
}
