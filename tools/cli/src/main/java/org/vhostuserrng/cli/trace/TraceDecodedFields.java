package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.List;

/** The decoded content of a message: values for the line of the message, and detail lines to print below it. */
final class TraceDecodedFields {
    private final List<String> values = new ArrayList<>();
    private final List<String> detailLines = new ArrayList<>();

    TraceDecodedFields field(String name, Object value) {
        return value(name + "=" + value);
    }

    TraceDecodedFields value(String word) {
        values.add(word);
        return this;
    }

    TraceDecodedFields detailLine(String line) {
        detailLines.add(line);
        return this;
    }

    String text() {
        return String.join(" ", values);
    }

    /** The detail lines; the list is modifiable. */
    List<String> detailLines() {
        return detailLines;
    }
}
