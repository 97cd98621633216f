package org.vhostuserrng.cli.metrics;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.vhostuserrng.cli.counters.CountersSnapshot;

/** A text format of metrics. */
enum MetricsFormat {
    /** OpenMetrics 1.0. */
    OPEN_METRICS,
    /** The Prometheus text format 0.0.4, which node_exporter reads from files. */
    PROMETHEUS;

    private static final String OPEN_METRICS_TYPE = "application/openmetrics-text";

    private ExpositionFormatWriter writer() {
        return switch (this) {
            case OPEN_METRICS -> OpenMetricsTextFormatWriter.create();
            case PROMETHEUS -> PrometheusTextFormatWriter.create();
        };
    }

    /**
     * Returns the format that an HTTP client prefers.
     *
     * @param accept the value of the client's Accept header; null if there is none
     */
    static MetricsFormat ofAccept(String accept) {
        return accept != null && accept.contains(OPEN_METRICS_TYPE) ? OPEN_METRICS : PROMETHEUS;
    }

    String contentType() {
        return writer().getContentType();
    }

    byte[] write(CountersSnapshot snapshot) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer().write(text, DaemonMetrics.of(snapshot));
        return text.toByteArray();
    }
}
