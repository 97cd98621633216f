package org.vhostuserrng.daemon;

import java.util.List;

/** {@code --log-level}. slf4j-simple reads the level once, when the first logger is created. */
final class DaemonLogLevel {
    private static final String PROPERTY = "org.slf4j.simpleLogger.defaultLogLevel";
    private static final List<String> LEVELS = List.of("error", "warn", "info", "debug");

    private DaemonLogLevel() {}

    /**
     * Returns the level of {@code --log-level}; null if the option is absent.
     *
     * @throws BadUsageException if the value is not a level
     */
    static String of(DaemonArguments arguments) throws BadUsageException {
        OptionValue level = arguments.value(DaemonOptions.LOG_LEVEL);
        if (level != null && !LEVELS.contains(level.text())) {
            throw level.refused("expected error, warn, info or debug");
        }
        return level == null ? null : level.text();
    }

    /** Sets the level of all loggers that are created after this call; null changes nothing. */
    static void apply(String level) {
        if (level != null) {
            System.setProperty(PROPERTY, level);
        }
    }
}
