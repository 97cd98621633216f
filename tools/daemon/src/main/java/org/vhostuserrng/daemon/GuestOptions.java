package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.TreeSet;
import org.vhostuserrng.backends.expression.KeyValueScanner;
import org.vhostuserrng.daemon.config.ConfigSection;

/**
 * The settings of one guest: its section in a file, and {@code --guest}, whose keys override those of the section.
 *
 * @param origin the option or section in messages
 * @param inFile whether there is a section
 * @param values by key; keys that are absent have the value for all guests
 */
record GuestOptions(String name, String origin, boolean inFile, Map<String, List<OptionValue>> values) {
    static final String SOCKET_PATH = "socket-path";
    static final String VFIO_USER = "vfio-user";
    static final String SOURCE = "source";
    static final String WEIGHT = "weight";
    static final String MIN_BYTES = "min-bytes";

    /** Keys of {@code --guest}. All but weight and min-bytes override the option of the same name. */
    private static final List<String> COMMAND_LINE_KEYS =
            List.of(WEIGHT, MIN_BYTES, "max-bytes", "period", "ops", "burst", "limit-mode");

    /** Keys of a section. */
    static final SequencedSet<String> KEYS = keys();

    private static final String COMMAND_LINE_KEY_NAMES =
            "weight, min-bytes, max-bytes, period, ops, burst or limit-mode";
    private static final int MAX_NAME_BYTES = 255;

    private static SequencedSet<String> keys() {
        SequencedSet<String> keys = new TreeSet<>(COMMAND_LINE_KEYS);
        keys.addAll(List.of(SOCKET_PATH, VFIO_USER, SOURCE, "socket-mode", "socket-group", "allow-uid", "allow-gid"));
        return keys;
    }

    /** The settings of all guests that have any, in the order of the files and then of the command line. */
    static List<GuestOptions> of(DaemonArguments arguments, Map<String, ConfigSection> sections)
            throws BadUsageException {
        Map<String, GuestOptions> guests = new LinkedHashMap<>();
        for (Map.Entry<String, ConfigSection> section : sections.entrySet()) {
            String name = section.getKey();
            String origin = section.getValue().location() + ": guest '" + name + "'";
            if (!isName(name)) {
                throw new BadUsageException(origin + ": expected a name of 1 to " + MAX_NAME_BYTES
                        + " characters without control characters");
            }
            Map<String, List<OptionValue>> values =
                    ConfigOptions.ofGuest(section.getValue().entries());
            guests.put(name, new GuestOptions(name, origin, true, values));
        }
        Map<String, GuestOptions> ofCommandLine = new HashMap<>();
        for (OptionValue option : arguments.values(DaemonOptions.GUEST)) {
            GuestOptions guest = of(option);
            if (ofCommandLine.putIfAbsent(guest.name, guest) != null) {
                throw option.refused("expected each guest once");
            }
            guests.merge(guest.name, guest, GuestOptions::overriddenBy);
        }
        return List.copyOf(guests.values());
    }

    private static boolean isName(String name) {
        return !name.isEmpty()
                && name.length() <= MAX_NAME_BYTES
                && name.codePoints().noneMatch(Character::isISOControl);
    }

    private GuestOptions overriddenBy(GuestOptions other) {
        Map<String, List<OptionValue>> merged = new HashMap<>(values);
        merged.putAll(other.values);
        return new GuestOptions(name, other.origin, inFile, merged);
    }

    private static GuestOptions of(OptionValue option) throws BadUsageException {
        KeyValueScanner scanner = new KeyValueScanner(option.text());
        String name = scanner.value();
        Map<String, String> texts;
        try {
            texts = scanner.options();
        } catch (IllegalArgumentException repeated) {
            throw option.refused(repeated.getMessage() + "; expected each key once", repeated);
        }
        Map<String, List<OptionValue>> values = new HashMap<>();
        for (Map.Entry<String, String> text : texts.entrySet()) {
            if (!COMMAND_LINE_KEYS.contains(text.getKey())) {
                throw option.refused("unknown key '" + text.getKey() + "'; expected " + COMMAND_LINE_KEY_NAMES
                        + " (a comma in NAME is written twice)");
            }
            values.put(text.getKey(), List.of(new OptionValue(option + ": " + text.getKey(), text.getValue())));
        }
        return new GuestOptions(name, option.toString(), false, values);
    }

    /** The guest's own value of an option; null if it has none. */
    OptionValue value(String key) {
        List<OptionValue> all = values(key);
        return all.isEmpty() ? null : all.getFirst();
    }

    /** The guest's own values of an option. */
    List<OptionValue> values(String key) {
        return values.getOrDefault(key, List.of());
    }

    /** The guest's own number, or {@code otherwise}. */
    long number(String key, DaemonOptionRange range, long otherwise) throws BadUsageException {
        OptionValue own = value(key);
        return own == null ? otherwise : own.number(range);
    }

    /**
     * Checks that a socket has each guest's name.
     *
     * @param names the names of all guests
     */
    static void requireSockets(List<GuestOptions> guests, SequencedSet<String> names) throws BadUsageException {
        for (GuestOptions guest : guests) {
            if (!names.contains(guest.name)) {
                throw guest.withoutSocket(names);
            }
        }
    }

    private BadUsageException withoutSocket(SequencedSet<String> names) {
        List<String> parts = new ArrayList<>();
        String example = names.getFirst();
        String written = KeyValueScanner.quote(example);
        parts.add(origin + ": no socket has the file name '" + name + "'; expected ");
        parts.add(inFile ? "the key socket-path or vfio-user, or " : "");
        parts.add(names.size() == 1 ? "" : "one of " + names.size() + " names such as ");
        parts.add("'" + example + "'");
        parts.add(inFile || written.equals(example) ? "" : " (a comma is written twice: " + written + ")");
        return new BadUsageException(String.join("", parts));
    }
}
