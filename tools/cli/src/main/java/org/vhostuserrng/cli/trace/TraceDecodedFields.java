package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.List;

/** What a message carries: named fields for its own line, and lines of their own below it. */
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

    /** May be changed. */
    List<String> detailLines() {
        return detailLines;
    }
}
