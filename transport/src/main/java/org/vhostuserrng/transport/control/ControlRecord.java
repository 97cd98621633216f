package org.vhostuserrng.transport.control;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A record of a response: keys and values in order. Encoded as one line of {@code KEY=VALUE} fields separated by tabs.
 */
public final class ControlRecord {
    private final Map<String, String> fields = new LinkedHashMap<>();

    /** Creates a record without fields. */
    public ControlRecord() {}

    /**
     * Adds a field, or replaces its value. The key must not contain a tab, line feed or equals sign. Returns this
     * record.
     */
    public ControlRecord with(String key, Object value) {
        fields.put(key, String.valueOf(value));
        return this;
    }

    /** The fields in order. */
    public Map<String, String> fields() {
        return fields;
    }

    /** Encodes this record as a line, without its line feed. */
    public String encode() {
        return fields.entrySet().stream()
                .map(field -> field.getKey() + "=" + ControlFieldEscaping.escape(field.getValue()))
                .collect(Collectors.joining("\t"));
    }

    /**
     * Decodes a record from a line without its line feed.
     *
     * @throws IllegalArgumentException if a field has no equals sign
     */
    public static ControlRecord decode(String line) {
        ControlRecord record = new ControlRecord();
        for (String field : line.isEmpty() ? new String[0] : line.split("\t", -1)) {
            int end = field.indexOf('=');
            if (end < 0) {
                throw new IllegalArgumentException("expected KEY=VALUE, got '" + field + "'");
            }
            record.with(field.substring(0, end), ControlFieldEscaping.unescape(field.substring(end + 1)));
        }
        return record;
    }
}
