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
 * The settings of one guest: its section in a configuration file, and {@code --guest}, whose keys override those of the
 * section.
 *
 * @param origin the option or section, as error messages name it
 * @param inFile whether a configuration file has a section for the guest
 * @param values values by key; for an absent key, the option for all guests applies
 */
record GuestOptions(String name, String origin, boolean inFile, Map<String, List<OptionValue>> values) {
    static final String SOCKET_PATH = "socket-path";
    static final String VFIO_USER = "vfio-user";
    static final String SOURCE = "source";
    static final String WEIGHT = "weight";
    static final String MIN_BYTES = "min-bytes";
    static final String LIMIT_MODE = "limit-mode";

    /** The keys of {@code --guest}. All except weight and min-bytes override the option of the same name. */
    private static final List<String> COMMAND_LINE_KEYS =
            List.of(WEIGHT, MIN_BYTES, "max-bytes", "period", "ops", "burst", LIMIT_MODE);

    /** The keys of a guest's section. */
    static final SequencedSet<String> KEYS = keys();

    private static final String COMMAND_LINE_KEY_NAMES =
            "weight, min-bytes, max-bytes, period, ops, burst or limit-mode";
    private static final int MAX_NAME_BYTES = 255;

    private static SequencedSet<String> keys() {
        SequencedSet<String> keys = new TreeSet<>(COMMAND_LINE_KEYS);
        keys.addAll(List.of(SOCKET_PATH, VFIO_USER, SOURCE, "socket-mode", "socket-group", "allow-uid", "allow-gid"));
        return keys;
    }

    /**
     * Returns the settings of all guests that have settings of their own: first in the order of the files, then in the
     * order of the command line.
     */
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

    /** Returns the guest's own value of an option; null if it has none. */
    OptionValue value(String key) {
        List<OptionValue> all = values(key);
        return all.isEmpty() ? null : all.getFirst();
    }

    /** Returns the guest's own values of an option; empty if it has none. */
    List<OptionValue> values(String key) {
        return values.getOrDefault(key, List.of());
    }

    /** Returns the guest's own value of a numeric option; {@code otherwise} if it has none. */
    long number(String key, DaemonOptionRange range, long otherwise) throws BadUsageException {
        OptionValue own = value(key);
        return own == null ? otherwise : own.number(range);
    }

    /**
     * Checks that each guest with settings has a socket of its name.
     *
     * @param names the names of all guests that have a socket
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
