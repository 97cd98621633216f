package org.vhostuserrng.cli.doctor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses the value of an option of QEMU, which is JSON or {@code VALUE,KEY=VALUE…} (qemu(1)). In the latter, a comma in
 * a value is written twice, and the first value may have no key.
 */
final class QemuOptionValue {
    private static final int MAX_DEPTH = 32;

    private QemuOptionValue() {}

    /**
     * Returns the values by their keys; the keys of nested JSON objects are joined by dots. Malformed JSON has no
     * values.
     *
     * @param firstKey the key of the first value if it has none
     */
    static Map<String, String> parse(String value, String firstKey) {
        return value.startsWith("{") ? json(value) : keyValues(value, firstKey);
    }

    private static Map<String, String> keyValues(String value, String firstKey) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String part : parts(value)) {
            int equals = part.indexOf('=');
            if (equals >= 0) {
                values.put(part.substring(0, equals), part.substring(equals + 1));
            } else {
                // QEMU: a key without a value is switched on.
                values.put(values.isEmpty() ? firstKey : part, values.isEmpty() ? part : "on");
            }
        }
        return values;
    }

    private static List<String> parts(String value) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            boolean comma = value.charAt(i) == ',';
            if (comma && value.startsWith(",,", i)) {
                i++;
            } else if (comma) {
                parts.add(part.toString());
                part.setLength(0);
                continue;
            }
            part.append(value.charAt(i));
        }
        parts.add(part.toString());
        return parts;
    }

    private static Map<String, String> json(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        List<String> keys = new ArrayList<>();
        try (JsonParser json = new JsonFactory().createParser(text)) {
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
                    keys.add(json.currentName() == null ? "" : json.currentName());
                } else if (token == JsonToken.END_OBJECT || token == JsonToken.END_ARRAY) {
                    keys.removeLast();
                } else if (token.isScalarValue()) {
                    values.put(key(keys, json.currentName()), json.getText());
                }
                if (keys.size() > MAX_DEPTH) {
                    return Map.of();
                }
            }
        } catch (IOException malformed) {
            return Map.of();
        }
        return Collections.unmodifiableMap(values);
    }

    private static String key(List<String> keys, String name) {
        List<String> all = new ArrayList<>(keys.subList(Math.min(1, keys.size()), keys.size()));
        all.add(name == null ? "" : name);
        return String.join(".", all);
    }
}
