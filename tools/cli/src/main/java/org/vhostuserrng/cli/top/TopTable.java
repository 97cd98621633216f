package org.vhostuserrng.cli.top;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.vhostuserrng.cli.counters.CounterValues;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.counters.GuestCounters;
import org.vhostuserrng.cli.counters.LatencyDistribution;

/** The output of {@code top}: a summary of the daemon and one row per guest, at most as wide as the terminal. */
final class TopTable {
    private static final int MIN_NAME_WIDTH = 12;
    private static final int MAX_NAME_WIDTH = 64;
    /** Columns that are shown only if the terminal is wide enough. */
    private static final List<Column> OPTIONAL = List.of(
            new Column("TOTAL", 7, rates -> count(rates, "bytes")),
            new Column("FAULTS", 6, rates -> count(rates, "faults")),
            new Column("SESSIONS", 8, rates -> count(rates, "sessions")),
            new Column("KICKS", 7, rates -> count(rates, "kicks")),
            new Column("INTERRUPTS", 10, rates -> count(rates, "interrupts")));

    private static final List<Column> COLUMNS = List.of(
            new Column("B/S", 6, rates -> TopNumberFormat.count(rates.bytesPerSecond())),
            new Column("REQ/S", 6, rates -> TopNumberFormat.count(rates.requestsPerSecond())),
            new Column("THROT", 5, rates -> TopNumberFormat.percent(rates.throttledShare())),
            new Column("STARV", 5, rates -> TopNumberFormat.percent(rates.starvedShare())),
            new Column("LEFT", 6, TopTable::left),
            new Column("P50", 6, rates -> quantile(rates.latency(), 0.5)),
            new Column("P99", 6, rates -> quantile(rates.latency(), 0.99)),
            new Column("SOURCE", 6, rates -> rates.guest().sourceState().toString()));

    private final int width;
    private final int maxRows;
    private final List<Column> columns = new ArrayList<>(COLUMNS);
    private final int nameWidth;

    /** A column of the table. The guest's name is to the left of all columns. */
    private record Column(String title, int width, Function<GuestRates, String> text) {}

    /**
     * Creates a table.
     *
     * @param width width of a line in characters
     * @param maxRows maximum number of guests that are shown
     */
    TopTable(int width, int maxRows) {
        this.width = width;
        this.maxRows = maxRows;
        int used = MIN_NAME_WIDTH;
        for (Column column : columns) {
            used += 1 + column.width();
        }
        for (Column column : OPTIONAL) {
            if (used + 1 + column.width() <= width) {
                columns.add(columns.size() - 1, column);
                used += 1 + column.width();
            }
        }
        nameWidth = Math.clamp(MIN_NAME_WIDTH + (long) width - used, MIN_NAME_WIDTH, MAX_NAME_WIDTH);
    }

    private static String count(GuestRates rates, String field) {
        return TopNumberFormat.count((double) rates.guest().values().get(field));
    }

    private static String left(GuestRates rates) {
        return rates.guest().hasByteLimit() ? count(rates, "limit_bytes_left") : "-";
    }

    private static String quantile(LatencyDistribution latency, double quantile) {
        long[] bounds = latency.bounds();
        long largest = bounds.length < 2 ? 0 : bounds[bounds.length - 2];
        return TopNumberFormat.latency(latency.quantileNanos(quantile), largest);
    }

    /** Returns the lines of the table. */
    List<String> lines(CountersSnapshot snapshot, List<GuestRates> guests) {
        List<String> lines = new ArrayList<>();
        lines.add(cut(summary(snapshot), width));
        lines.add(cut(sources(snapshot), width));
        lines.add(cut(eventLoop(snapshot), width));
        lines.add("");
        StringBuilder header = new StringBuilder(pad("GUEST", nameWidth));
        columns.forEach(column -> header.append(' ').append(alignRight(column.title(), column.width())));
        lines.add(cut(header.toString(), width));
        guests.stream().limit(maxRows).forEach(rates -> lines.add(cut(row(rates), width)));
        if (guests.size() > maxRows) {
            lines.add(cut("… and " + (guests.size() - maxRows) + " more", width));
        }
        return lines;
    }

    private static String summary(CountersSnapshot snapshot) {
        String state = snapshot.running()
                ? "up " + TopNumberFormat.duration(snapshot.uptimeSeconds())
                : snapshot.stopped() ? "stopped" : "killed";
        return "daemon " + snapshot.pid() + " " + state + ", restarts " + snapshot.restarts() + ", guests "
                + snapshot.guests().size() + " (" + snapshot.connectedGuests() + " connected)";
    }

    private static String sources(CountersSnapshot snapshot) {
        CounterValues daemon = snapshot.daemon();
        return "source: " + daemon.get("source_failovers") + " failovers, failures: "
                + daemon.get("source_read_failures") + " read, " + daemon.get("source_health_test_failures")
                + " health test, " + daemon.get("source_ends_of_file") + " end of file";
    }

    private static String eventLoop(CountersSnapshot snapshot) {
        long nanos = snapshot.daemon().get("longest_loop_iteration");
        return "event loop: longest iteration " + TopNumberFormat.latency(nanos, 0);
    }

    private String row(GuestRates rates) {
        GuestCounters guest = rates.guest();
        String name = guest.isConnected() ? guest.name() : "(" + guest.name() + ")";
        StringBuilder row = new StringBuilder(pad(name, nameWidth));
        for (Column column : columns) {
            row.append(' ').append(alignRight(column.text().apply(rates), column.width()));
        }
        return row.toString();
    }

    private static String pad(String text, int width) {
        String cut = text.codePointCount(0, text.length()) > width ? cut(text, width - 1) + "…" : text;
        return cut + " ".repeat(width - cut.codePointCount(0, cut.length()));
    }

    private static String alignRight(String text, int width) {
        return " ".repeat(Math.max(0, width - text.length())) + text;
    }

    private static String cut(String text, int width) {
        int characters = text.codePointCount(0, text.length());
        return characters <= width ? text : text.substring(0, text.offsetByCodePoints(0, Math.max(0, width)));
    }
}
