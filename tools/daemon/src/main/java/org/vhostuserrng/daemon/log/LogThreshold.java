package org.vhostuserrng.daemon.log;

import java.util.List;
import java.util.Locale;
import org.slf4j.event.Level;

/**
 * The least severe level that is logged. It applies to all loggers but those for whose name, or a prefix of it, the
 * property {@code vhost-user-rng.log.PREFIX} has a level of its own. Any thread.
 */
public final class LogThreshold {
    /** The names of the levels, from severe to detailed. */
    public static final List<String> LEVELS = List.of("error", "warn", "info", "debug");

    /** Property: the level while no option sets one; {@code off} for none. */
    static final String PROPERTY = "vhost-user-rng.log";

    private static final String DEFAULT = "info";
    private static final String OFF_NAME = "off";
    private static final int OFF = Level.ERROR.toInt() + 1;

    private static volatile int ofAll = number(initial());

    private LogThreshold() {}

    private static String initial() {
        String level = System.getProperty(PROPERTY, DEFAULT);
        return level.equals(OFF_NAME) || LEVELS.contains(level) ? level : DEFAULT;
    }

    private static int number(String level) {
        return level.equals(OFF_NAME)
                ? OFF
                : Level.valueOf(level.toUpperCase(Locale.ROOT)).toInt();
    }

    /**
     * Sets the level.
     *
     * @param level one of {@link #LEVELS}; null for that of the property, or else info
     */
    public static void set(String level) {
        ofAll = number(level == null ? initial() : level);
    }

    /** The level, one of {@link #LEVELS}, or {@code off}. */
    public static String get() {
        return ofAll == OFF ? OFF_NAME : Level.intToLevel(ofAll).toString().toLowerCase(Locale.ROOT);
    }

    /** Whether a level is logged. */
    static boolean includes(Level level) {
        return level.toInt() >= ofAll;
    }

    /** The level of a logger that has one of its own; null for that of all. */
    static Level ofLogger(String name) {
        String prefix = name;
        while (true) {
            String level = System.getProperty(PROPERTY + "." + prefix);
            if (level != null && LEVELS.contains(level)) {
                return Level.valueOf(level.toUpperCase(Locale.ROOT));
            }
            int dot = prefix.lastIndexOf('.');
            if (dot < 0) {
                return null;
            }
            prefix = prefix.substring(0, dot);
        }
    }
}
