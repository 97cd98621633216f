package org.vhostuserrng.cli.metrics;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.counters.CountersSnapshot;

/** The metrics of a daemon and of its guests. */
final class DaemonMetrics {
    static final String PREFIX = "vhost_user_rng_";
    private static final double MILLIS_PER_SECOND = 1e3;

    private DaemonMetrics() {}

    /** Returns all metrics of a snapshot. */
    static MetricSnapshots of(CountersSnapshot snapshot) {
        List<MetricSnapshot> metrics = new ArrayList<>();
        metrics.add(gauge("up", null, "Whether the daemon runs.", snapshot.running() ? 1 : 0));
        metrics.add(gauge(
                "start_timestamp_seconds",
                Unit.SECONDS,
                "When the daemon started, since 1970.",
                snapshot.started().toEpochMilli() / MILLIS_PER_SECOND));
        metrics.add(counter("restarts", "How often a daemon continued the counters file.", snapshot.restarts()));
        metrics.add(gauge(
                "guests",
                null,
                "Guests that the daemon serves.",
                snapshot.guests().size()));
        metrics.add(gauge(
                "longest_loop_iteration_seconds",
                Unit.SECONDS,
                "Longest iteration of the event loop since the daemon started.",
                snapshot.daemon().seconds("longest_loop_iteration")));
        metrics.add(daemonCounter(snapshot, "source_failovers", "How often another source took over."));
        metrics.add(daemonCounter(snapshot, "source_read_failures", "Failed reads of a source."));
        metrics.add(daemonCounter(
                snapshot, "source_health_test_failures", "Failures of the SP 800-90B health tests of a source."));
        metrics.add(
                daemonCounter(snapshot, "source_ends_of_file", "Ends of a file, a device or a program as a source."));
        metrics.addAll(GuestMetrics.of(snapshot.guests()));
        return new MetricSnapshots(metrics);
    }

    private static MetricSnapshot daemonCounter(CountersSnapshot snapshot, String field, String help) {
        return counter(field, help, snapshot.daemon().get(field));
    }

    private static MetricSnapshot counter(String name, String help, long value) {
        return CounterSnapshot.builder()
                .name(PREFIX + name)
                .help(help)
                .dataPoint(
                        CounterDataPointSnapshot.builder().value((double) value).build())
                .build();
    }

    private static MetricSnapshot gauge(String name, Unit unit, String help, double value) {
        return GaugeSnapshot.builder()
                .name(PREFIX + name)
                .unit(unit)
                .help(help)
                .dataPoint(GaugeDataPointSnapshot.builder().value(value).build())
                .build();
    }
}
