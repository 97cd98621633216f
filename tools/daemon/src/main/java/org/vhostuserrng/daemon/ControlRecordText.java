package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.control.ControlRecord;

/**
 * Formats the records of a response as a table for people or as JSON for programs. No library writes the JSON: the
 * packaged runtime has none, and only flat objects occur.
 */
final class ControlRecordText {
    private static final Pattern NUMBER = Pattern.compile("0|-?[1-9][0-9]{0,17}");
    private static final int FIRST_PRINTABLE = 0x20;

    private ControlRecordText() {}

    /**
     * Returns one record with one field per line, several records as a table with a header, and an empty string for no
     * records.
     */
    static String table(List<ControlRecord> records) {
        if (records.isEmpty()) {
            return "";
        }
        if (records.size() == 1) {
            return lines(records.getFirst());
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.copyOf(records.getFirst().fields().keySet()));
        for (ControlRecord record : records) {
            rows.add(
                    record.fields().values().stream().map(NativeText::printable).toList());
        }
        int columns = rows.stream().mapToInt(List::size).min().orElse(0);
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row.get(i)).repeat(" ", widths[i] - row.get(i).length() + 2);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private static String lines(ControlRecord record) {
        int width =
                record.fields().keySet().stream().mapToInt(String::length).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, String> field : record.fields().entrySet()) {
            text.append(field.getKey())
                    .append(':')
                    .repeat(" ", width - field.getKey().length() + 1)
                    .append(NativeText.printable(field.getValue()))
                    .append('\n');
        }
        return text.toString();
    }

    /** Returns the records as a JSON array of objects. Decimal integers become numbers, all other values strings. */
    static String json(List<ControlRecord> records) {
        return records.stream().map(ControlRecordText::object).collect(Collectors.joining(",\n ", "[", "]\n"));
    }

    private static String object(ControlRecord record) {
        return record.fields().entrySet().stream()
                .map(field -> string(field.getKey()) + ": " + value(field.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static String value(String text) {
        return NUMBER.matcher(text).matches() ? text : string(text);
    }

    private static String string(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (next == '"' || next == '\\') {
                quoted.append('\\').append(next);
            } else if (next < FIRST_PRINTABLE) {
                quoted.append(String.format("\\u%04x", (int) next));
            } else {
                quoted.append(next);
            }
        }
        return quoted.append('"').toString();
    }
}
