package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.List;

/** What a message carries: named fields for its own line, and lines of their own below it. */
final class TraceDecodedFields {
    private final List<String> words = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();

    TraceDecodedFields add(String name, Object value) {
        return word(name + "=" + value);
    }

    TraceDecodedFields word(String word) {
        words.add(word);
        return this;
    }

    TraceDecodedFields line(String line) {
        lines.add(line);
        return this;
    }

    String text() {
        return String.join(" ", words);
    }

    /** May be changed. */
    List<String> lines() {
        return lines;
    }
}
