package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.vhostuserrng.daemon.config.ConfigEntry;

/** Checks the keys and value types of configuration files against the options of the command line. */
final class ConfigOptions {
    /** Options that start an action, or that are valid only on the command line. */
    private static final Set<String> NOT_IN_FILES = Set.of(
            "config",
            "check-config",
            "guest",
            "help",
            "version",
            DaemonArguments.name(DaemonOptions.PRINT_CAPABILITIES));

    /** Options whose values a file may list in an array. */
    private static final Set<String> REPEATABLE =
            Set.of("source", "allow-memory-on", "fd", "allow-uid", "allow-gid", "vfio-user");

    /** Options whose values must be strings in a file, even if the string looks like a number. */
    private static final Set<String> TEXT = Set.of(
            "socket-path",
            "vfio-user",
            "connect",
            "source",
            "limit-mode",
            "allow-memory-on",
            "socket-mode",
            "log-level",
            "control-socket",
            "control-socket-mode",
            "counters-file");

    private ConfigOptions() {}

    /** Returns the values of the options before the first section of the files, by the option's name. */
    static Map<String, List<OptionValue>> ofTop(Map<String, ConfigEntry> entries) throws BadUsageException {
        Options known = DaemonOptions.all();
        Map<String, List<OptionValue>> values = new HashMap<>();
        for (ConfigEntry entry : entries.values()) {
            Option option = NOT_IN_FILES.contains(entry.key()) ? null : known.getOption(entry.key());
            if (option == null || !entry.key().equals(option.getLongOpt())) {
                throw new BadUsageException(entry.name() + ": unknown key; expected an option without its dashes; see "
                        + DaemonCommand.PROGRAM + " --help");
            }
            if (option.hasArg()) {
                values.put(entry.key(), values(entry));
            } else if (flag(entry)) {
                values.put(entry.key(), List.of());
            }
        }
        return values;
    }

    /** Returns the values of the options in a guest's section, by the option's name. */
    static Map<String, List<OptionValue>> ofGuest(Map<String, ConfigEntry> entries) throws BadUsageException {
        Map<String, List<OptionValue>> values = new HashMap<>();
        for (ConfigEntry entry : entries.values()) {
            if (!GuestOptions.KEYS.contains(entry.key())) {
                throw new BadUsageException(
                        entry.name() + ": unknown key of a guest; expected " + String.join(", ", GuestOptions.KEYS));
            }
            values.put(entry.key(), values(entry));
        }
        return values;
    }

    private static boolean flag(ConfigEntry entry) throws BadUsageException {
        if (entry.type() != ConfigEntry.Type.BOOLEAN) {
            throw refused(entry, "true or false");
        }
        return Boolean.parseBoolean(entry.texts().getFirst());
    }

    private static List<OptionValue> values(ConfigEntry entry) throws BadUsageException {
        boolean repeatable = REPEATABLE.contains(entry.key());
        boolean text = TEXT.contains(entry.key());
        boolean wrongType = switch (entry.type()) {
            case BOOLEAN -> true;
            case NUMBER -> text;
            case STRING -> false;
            case ARRAY -> !repeatable || entry.texts().isEmpty();
        };
        if (wrongType) {
            throw refused(
                    entry, (text ? "a string" : "a string or a number") + (repeatable ? ", or an array of them" : ""));
        }
        List<OptionValue> values = new ArrayList<>();
        entry.texts().forEach(value -> values.add(new OptionValue(entry.name(), value)));
        return List.copyOf(values);
    }

    private static BadUsageException refused(ConfigEntry entry, String expected) {
        String value =
                entry.type() == ConfigEntry.Type.ARRAY ? "[" + String.join(", ", entry.texts()) + "]" : first(entry);
        return new BadUsageException(entry.name() + "='" + value + "': expected " + expected);
    }

    private static String first(ConfigEntry entry) {
        return entry.texts().getFirst();
    }
}
