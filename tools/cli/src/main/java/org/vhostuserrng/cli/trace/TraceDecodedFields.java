package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;

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

    List<String> detailLines() {
        return List.copyOf(detailLines);
    }

    /**
     * Adds a single descriptor to the line of the message, as many descriptors as there are detail lines (those of a
     * memory table) to the detail lines, and other descriptors to lines below the message.
     */
    void addDescriptors(List<PassedFd> descriptors) {
        if (!descriptors.isEmpty() && detailLines.size() == descriptors.size()) {
            for (int i = 0; i < detailLines.size(); i++) {
                detailLines.set(
                        i, detailLines.get(i) + "  fd: " + descriptors.get(i).description());
            }
        } else if (descriptors.size() == 1) {
            value("fd: " + descriptors.getFirst().description());
        } else if (!descriptors.isEmpty()) {
            field("fds", descriptors.size());
            for (int i = 0; i < descriptors.size(); i++) {
                detailLine("fd " + i + ": " + descriptors.get(i).description());
            }
        }
    }
}
