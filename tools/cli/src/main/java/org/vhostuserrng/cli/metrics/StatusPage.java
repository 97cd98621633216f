package org.vhostuserrng.cli.metrics;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vhostuserrng.cli.counters.CounterValues;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.counters.GuestCounters;

/** The status page: one HTML table without scripts or external resources. */
final class StatusPage {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>vhost-user-rng</title>
            <meta http-equiv="refresh" content="10">
            <style>
            body { font-family: sans-serif; margin: 2em }
            table { border-collapse: collapse }
            th, td { padding: 0.2em 0.8em; text-align: right; border-bottom: 1px solid #ccc }
            th:first-child, td:first-child { text-align: left }
            </style></head>
            <body>
            <h1>vhost-user-rng</h1>
            """;
    private static final String TAIL = """
            </table>
            <p><a href="/metrics">Metrics</a> · <a href="/healthz">Health</a></p>
            </body></html>
            """;
    private static final List<String> COLUMNS = List.of(
            "guest",
            "connected",
            "source",
            "bytes",
            "requests",
            "throttled s",
            "starved s",
            "faults",
            "p50 µs",
            "p99 µs");
    private static final double NANOS_PER_MICRO = 1e3;

    private StatusPage() {}

    static String of(CountersSnapshot snapshot) {
        StringBuilder page = new StringBuilder(HEAD);
        page.append("<p>Daemon ")
                .append(snapshot.pid())
                .append(snapshot.running() ? ": running" : ": <strong>not running</strong>")
                .append(", started ")
                .append(snapshot.started())
                .append(", restarts ")
                .append(snapshot.restarts())
                .append(".</p>\n<table>\n")
                .append(row("th", COLUMNS.stream()));
        snapshot.guests().forEach(guest -> page.append(row("td", cells(guest))));
        return page.append(TAIL).toString();
    }

    private static Stream<String> cells(GuestCounters guest) {
        CounterValues values = guest.values();
        return Stream.of(
                guest.name(),
                guest.isConnected() ? "yes" : "no",
                guest.sourceState().toString(),
                Long.toString(values.get("bytes")),
                Long.toString(values.get("requests")),
                Long.toString((long) values.seconds("throttled_time")),
                Long.toString((long) values.seconds("starved_time")),
                Long.toString(values.get("faults")),
                micros(guest.latency().quantileNanos(0.5)),
                micros(guest.latency().quantileNanos(0.99)));
    }

    private static String micros(long nanos) {
        return nanos == 0 ? "-" : nanos == Long.MAX_VALUE ? "∞" : Long.toString(Math.round(nanos / NANOS_PER_MICRO));
    }

    private static String row(String element, Stream<String> cells) {
        return cells.map(cell -> "<" + element + ">" + escape(cell) + "</" + element + ">")
                .collect(Collectors.joining("", "<tr>", "</tr>\n"));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
