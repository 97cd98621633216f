package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.List;

/** A session as a Markdown table: one row per request with its reply. */
final class TraceSummaryTable {
    private static final int MAX_ROWS = 1000;

    /**
     * Maximum number of detail lines in a cell: enough for the regions of a memory table. Longer details, such as hex
     * dumps, are omitted.
     */
    private static final int MAX_DETAIL_LINES = 8;

    /** A row of the table. Its last two cells are filled in when the reply arrives. */
    private static final class Row {
        private final TraceDecodedMessage message;
        private String reply = "";
        private String milliseconds = "";

        Row(TraceDecodedMessage message) {
            this.message = message;
        }

        String text() {
            return String.join(
                    " | ",
                    message.number() == 0 ? "" : Integer.toString(message.number()),
                    message.arrow().strip(),
                    message.name(),
                    cell(message),
                    reply,
                    milliseconds);
        }
    }

    private final List<Row> rows = new ArrayList<>();
    private int omitted;

    void add(TraceDecodedMessage message) {
        if (message.repliedTo().isPresent()) {
            addReply(message, message.repliedTo().get());
        } else if (rows.size() < MAX_ROWS) {
            rows.add(new Row(message));
        } else {
            omitted++;
        }
    }

    private void addReply(TraceDecodedMessage reply, TraceDecodedMessage.RepliedRequest answered) {
        for (Row row : rows) {
            if (row.message.number() == answered.number()) {
                row.reply = cell(reply);
                row.milliseconds = TraceNumberFormat.milliseconds(answered.elapsed());
                return;
            }
        }
    }

    private static String cell(TraceDecodedMessage message) {
        List<String> parts = new ArrayList<>();
        if (!message.fields().isEmpty()) {
            parts.add(message.fields());
        }
        parts.addAll(message.notes());
        if (message.details().size() <= MAX_DETAIL_LINES) {
            parts.addAll(message.details());
        }
        return String.join("<br>", parts).replace("|", "\\|");
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("| # | from | message | carries | reply | ms |");
        lines.add("|--:|---|---|---|---|--:|");
        rows.forEach(row -> lines.add("| " + row.text() + " |"));
        if (omitted > 0) {
            lines.add("| | | " + omitted + " more | | | |");
        }
        return lines;
    }
}
