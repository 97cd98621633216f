package org.vhostuserrng.daemon.config;

import com.electronwill.nightconfig.core.CommentedConfig;
import com.electronwill.nightconfig.core.Config;
import com.electronwill.nightconfig.core.io.ParsingException;
import com.electronwill.nightconfig.core.io.ParsingMode;
import com.electronwill.nightconfig.toml.TomlFormat;
import com.electronwill.nightconfig.toml.TomlParser;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parses the text of one configuration file: top-level keys, and one table {@code [guest.NAME]} per guest. */
public final class TomlConfigParser {
    private static final String GUEST = "guest";
    private static final int MAX_MESSAGE_CHARACTERS = 300;

    private final String file;
    private final String text;
    private final LineCountingReader reader;
    private final Map<String, ConfigEntry> options = new LinkedHashMap<>();
    private final Map<String, ConfigSection> guests = new LinkedHashMap<>();

    private TomlConfigParser(String file, String text) {
        this.file = file;
        this.text = text;
        this.reader = new LineCountingReader(text);
    }

    /**
     * Parses a configuration file.
     *
     * @param file the name of the file in messages
     * @throws ConfigFileException if the text is not TOML of this form
     */
    public static DaemonConfig read(String file, String text) throws ConfigFileException {
        return new TomlConfigParser(file, text).read();
    }

    private DaemonConfig read() throws ConfigFileException {
        for (Config.Entry entry : parse().entrySet()) {
            String key = entry.getKey();
            Object value = entry.getRawValue();
            if (!key.equals(GUEST)) {
                options.put(key, entry(key, value));
            } else if (value instanceof Config table) {
                readGuests(table);
            } else {
                throw new ConfigFileException(location(value) + ": guest: expected a section [guest.NAME]");
            }
        }
        return new DaemonConfig(options, guests);
    }

    private Config parse() throws ConfigFileException {
        CommentedConfig config = TomlFormat.newConfig(() -> new TomlTable(reader));
        try {
            requireIntegersInRange();
            new TomlParser().parse(reader, config, ParsingMode.REPLACE);
            return config;
        } catch (ParsingException invalid) {
            throw new ConfigFileException(
                    file + ":" + reader.line() + ": not valid TOML: " + beginning(invalid.getMessage()), invalid);
        } catch (RuntimeException invalid) {
            // The parser does not check everything: invalid TOML can cause, for example, an IndexOutOfBoundsException.
            throw new ConfigFileException(file + ":" + reader.line() + ": not valid TOML", invalid);
        } catch (StackOverflowError deep) {
            throw new ConfigFileException(file + ":" + reader.line() + ": arrays or tables are nested too deep");
        }
    }

    private void requireIntegersInRange() throws ConfigFileException {
        TomlIntegerRange.Excess excess = TomlIntegerRange.firstExcess(text);
        if (excess != null) {
            throw new ConfigFileException(file + ":" + excess.line() + ": '" + beginning(excess.integer())
                    + "': expected an integer of at most 64 bits");
        }
    }

    /** Truncates a message of the parser, because the message may quote a whole value. */
    private static String beginning(String message) {
        return message.length() <= MAX_MESSAGE_CHARACTERS
                ? message
                : message.substring(0, MAX_MESSAGE_CHARACTERS) + "...";
    }

    private void readGuests(Config table) throws ConfigFileException {
        for (Config.Entry guest : table.entrySet()) {
            if (!(guest.getRawValue() instanceof Config section)) {
                throw new ConfigFileException(location(guest.getRawValue()) + ": guest." + guest.getKey()
                        + ": expected a section [guest.NAME] with keys below it");
            }
            Map<String, ConfigEntry> entries = new LinkedHashMap<>();
            for (Config.Entry entry : section.entrySet()) {
                entries.put(entry.getKey(), entry(entry.getKey(), entry.getRawValue()));
            }
            guests.put(guest.getKey(), new ConfigSection(location(section), entries));
        }
    }

    /**
     * Returns {@code FILE:LINE} of a value, or of the first value in a table; {@code FILE} if the table has no value.
     */
    private String location(Object value) {
        Object first = value;
        while (first instanceof Config table && !table.isEmpty()) {
            first = table.entrySet().iterator().next().getRawValue();
        }
        return first instanceof TomlTable.Located located ? file + ":" + located.line() : file;
    }

    private ConfigEntry entry(String key, Object stored) throws ConfigFileException {
        String location = location(stored);
        if (!(stored instanceof TomlTable.Located located)) {
            throw new ConfigFileException(location + ": " + key + ": unknown section; expected [guest.NAME]");
        }
        return switch (located.value()) {
            case Boolean flag -> new ConfigEntry(location, key, ConfigEntry.Type.BOOLEAN, List.of(flag.toString()));
            case Number number -> new ConfigEntry(location, key, ConfigEntry.Type.NUMBER, List.of(number.toString()));
            case List<?> list -> new ConfigEntry(location, key, ConfigEntry.Type.ARRAY, texts(list));
            case Object text -> new ConfigEntry(location, key, ConfigEntry.Type.STRING, List.of(text.toString()));
        };
    }

    private static List<String> texts(List<?> list) {
        List<String> texts = new ArrayList<>();
        list.forEach(element -> texts.add(element.toString()));
        return List.copyOf(texts);
    }
}
