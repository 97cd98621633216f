package org.vhostuserrng.daemon.config;

import com.electronwill.nightconfig.core.Config;
import com.electronwill.nightconfig.core.io.ParsingException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of a table while it is parsed. Remembers the line of each value, because the parser does not: it stores a
 * value as soon as it has read it. Refuses values that no option has.
 */
final class TomlTable extends LinkedHashMap<String, Object> {
    private static final long serialVersionUID = 1L;

    private static final int MAX_KEY_CHARACTERS = 255;
    private static final int MAX_CHARACTERS = 4096;

    private final transient LineCountingReader reader;
    private final transient Map<String, Integer> lines = new LinkedHashMap<>();

    TomlTable(LineCountingReader reader) {
        this.reader = reader;
    }

    @Override
    public Object put(String key, Object value) {
        if (key.length() > MAX_KEY_CHARACTERS) {
            throw new ParsingException("expected a key of at most " + MAX_KEY_CHARACTERS + " characters");
        }
        if (!isSupported(value)) {
            throw new ParsingException("key '" + key + "': expected a string of at most " + MAX_CHARACTERS
                    + " characters, a number, true, false, or an array of strings and numbers");
        }
        lines.putIfAbsent(key, reader.line());
        return super.put(key, value);
    }

    /** The line on which the value of a key ends. */
    int line(String key) {
        return lines.get(key);
    }

    private static boolean isSupported(Object value) {
        return isScalar(value)
                || value instanceof Boolean
                || value instanceof Config
                || value instanceof List<?> list && list.stream().allMatch(TomlTable::isScalar);
    }

    private static boolean isScalar(Object value) {
        return value instanceof Number || (value instanceof String text && text.length() <= MAX_CHARACTERS);
    }
}
