package org.vhostuserrng.daemon.config;

import com.electronwill.nightconfig.core.Config;
import com.electronwill.nightconfig.core.io.ParsingException;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * The values of a table while it is parsed. The parser stores each value as soon as it has read it, so that this map
 * can record the line of the value. Refuses values of types that no option has.
 */
final class TomlTable extends LinkedHashMap<String, Object> {
    private static final long serialVersionUID = 1L;

    private static final int MAX_KEY_CHARACTERS = 255;
    private static final int MAX_CHARACTERS = 4096;

    private final transient LineCountingReader reader;

    /**
     * A value and its line.
     *
     * @param value a string, number, boolean, or a list of strings and numbers
     * @param line the number of the line on which the value ends, from 1
     */
    record Located(Object value, int line) {}

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
        return super.put(key, value instanceof Config ? value : new Located(value, reader.line()));
    }

    private static boolean isSupported(Object value) {
        return isScalar(value)
                || value instanceof Boolean
                || value instanceof Config
                || (value instanceof List<?> list && list.stream().allMatch(TomlTable::isScalar));
    }

    private static boolean isScalar(Object value) {
        return value instanceof Number || (value instanceof String text && text.length() <= MAX_CHARACTERS);
    }
}
