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

/** Reads the text of one configuration file: keys at its top, and a table {@code [guest.NAME]} for each guest. */
public final class TomlFileReader {
    private static final String GUEST = "guest";
    private static final int MAX_MESSAGE_CHARACTERS = 300;

    private final String file;
    private final LineCountingReader reader;
    private final Map<String, ConfigEntry> options = new LinkedHashMap<>();
    private final Map<String, ConfigSection> guests = new LinkedHashMap<>();

    private TomlFileReader(String file, String text) {
        this.file = file;
        this.reader = new LineCountingReader(text);
    }

    /**
     * Reads a text.
     *
     * @param file its name in messages
     * @throws ConfigFileException if it is not TOML of this form
     */
    public static DaemonConfig read(String file, String text) throws ConfigFileException {
        return new TomlFileReader(file, text).read();
    }

    private DaemonConfig read() throws ConfigFileException {
        Map<String, Object> root = parse();
        for (Map.Entry<String, Object> entry : root.entrySet()) {
            String key = entry.getKey();
            String location = location((TomlTable) root, key);
            if (!key.equals(GUEST)) {
                options.put(key, entry(location, key, entry.getValue()));
            } else if (entry.getValue() instanceof Config table) {
                readGuests(location, table);
            } else {
                throw new ConfigFileException(location + ": guest: expected a section [guest.NAME]");
            }
        }
        return new DaemonConfig(options, guests);
    }

    private Map<String, Object> parse() throws ConfigFileException {
        CommentedConfig config = TomlFormat.newConfig(() -> new TomlTable(reader));
        try {
            new TomlParser().parse(reader, config, ParsingMode.REPLACE);
            return config.valueMap();
        } catch (ParsingException invalid) {
            throw new ConfigFileException(
                    file + ":" + reader.line() + ": not valid TOML: " + beginning(invalid.getMessage()), invalid);
        } catch (RuntimeException invalid) {
            // The parser's own checks are not complete, for example of indices.
            throw new ConfigFileException(file + ":" + reader.line() + ": not valid TOML", invalid);
        } catch (StackOverflowError deep) {
            throw new ConfigFileException(file + ":" + reader.line() + ": arrays or tables are nested too deep");
        }
    }

    /** A message of the parser, which may quote a whole value. */
    private static String beginning(String message) {
        return message.length() <= MAX_MESSAGE_CHARACTERS
                ? message
                : message.substring(0, MAX_MESSAGE_CHARACTERS) + "...";
    }

    private void readGuests(String location, Config table) throws ConfigFileException {
        for (Map.Entry<String, Object> guest : table.valueMap().entrySet()) {
            if (!(guest.getValue() instanceof Config section)) {
                throw new ConfigFileException(location + ": guest." + guest.getKey()
                        + ": expected a section [guest.NAME] with keys below it");
            }
            guests.put(guest.getKey(), section((TomlTable) section.valueMap()));
        }
    }

    private ConfigSection section(TomlTable table) throws ConfigFileException {
        Map<String, ConfigEntry> entries = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : table.entrySet()) {
            String key = entry.getKey();
            entries.put(key, entry(location(table, key), key, entry.getValue()));
        }
        String location =
                entries.isEmpty() ? file : entries.values().iterator().next().location();
        return new ConfigSection(location, entries);
    }

    private String location(TomlTable table, String key) {
        return file + ":" + table.line(key);
    }

    private static ConfigEntry entry(String location, String key, Object value) throws ConfigFileException {
        return switch (value) {
            case Boolean flag -> new ConfigEntry(location, key, ConfigEntry.Type.BOOLEAN, List.of(flag.toString()));
            case Number number -> new ConfigEntry(location, key, ConfigEntry.Type.NUMBER, List.of(number.toString()));
            case List<?> list -> new ConfigEntry(location, key, ConfigEntry.Type.ARRAY, texts(list));
            case Config table ->
                throw new ConfigFileException(location + ": " + key + ": unknown section; expected [guest.NAME]");
            default -> new ConfigEntry(location, key, ConfigEntry.Type.STRING, List.of(value.toString()));
        };
    }

    private static List<String> texts(List<?> list) {
        List<String> texts = new ArrayList<>();
        list.forEach(element -> texts.add(element.toString()));
        return List.copyOf(texts);
    }
}
