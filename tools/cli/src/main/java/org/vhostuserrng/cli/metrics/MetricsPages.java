package org.vhostuserrng.cli.metrics;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.vhostuserrng.cli.counters.CountersFileSource;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.options.IoFailureText;

/**
 * The pages of {@code metrics --listen}. Each page is rendered at most once per second, even if many clients request
 * it. Thread-safe.
 */
final class MetricsPages {
    private static final long MAX_AGE_NANOS = 1_000_000_000L;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int UNAVAILABLE = 503;
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String HTML = "text/html; charset=utf-8";

    private final CountersFileSource source;
    private final LongSupplier clock;
    private final Map<MetricsFormat, Page> metrics = new EnumMap<>(MetricsFormat.class);
    private CountersSnapshot snapshot;
    private Page failure;
    private Page status;
    private long readAt;

    /** An HTTP response. */
    @SuppressWarnings("ArrayRecordComponent")
    record Page(int status, String contentType, byte[] body) {
        static Page text(int status, String text) {
            return new Page(status, TEXT, (text + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }

    /**
     * Creates the pages of a counters file.
     *
     * @param clock returns nanoseconds, like {@link System#nanoTime}
     */
    MetricsPages(CountersFileSource source, LongSupplier clock) {
        this.source = source;
        this.clock = clock;
        readAt = clock.getAsLong() - MAX_AGE_NANOS;
    }

    /**
     * Returns the page at a path.
     *
     * @param accept the value of the client's Accept header; null if there is none
     */
    synchronized Page page(String path, String accept) throws IOException {
        refresh();
        return switch (path) {
            case "/metrics" -> failure == null ? metrics(MetricsFormat.ofAccept(accept)) : failure;
            case "/healthz" -> failure == null ? health() : failure;
            case "/" -> failure == null ? status() : failure;
            default -> Page.text(NOT_FOUND, "not found; expected /, /metrics or /healthz");
        };
    }

    private void refresh() {
        if (clock.getAsLong() - readAt < MAX_AGE_NANOS) {
            return;
        }
        readAt = clock.getAsLong();
        metrics.clear();
        status = null;
        failure = null;
        try {
            snapshot = source.read();
        } catch (IOException unreadable) {
            failure = Page.text(UNAVAILABLE, IoFailureText.describe(unreadable));
        }
    }

    private Page metrics(MetricsFormat format) throws IOException {
        Page page = metrics.get(format);
        if (page == null) {
            page = new Page(OK, format.contentType(), format.write(snapshot));
            metrics.put(format, page);
        }
        return page;
    }

    private Page health() {
        return snapshot.running() ? Page.text(OK, "ok") : Page.text(UNAVAILABLE, "the daemon does not run");
    }

    private Page status() {
        if (status == null) {
            status = new Page(OK, HTML, StatusPage.of(snapshot).getBytes(StandardCharsets.UTF_8));
        }
        return status;
    }
}
