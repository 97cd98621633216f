package org.vhostuserrng.cli.metrics;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot.StateSetDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.vhostuserrng.cli.counters.GuestCounters;
import org.vhostuserrng.cli.counters.GuestCounters.SourceState;
import org.vhostuserrng.cli.counters.LatencyDistribution;

/** The metrics of guests, with the label {@code guest}. */
final class GuestMetrics {
    private static final String PREFIX = DaemonMetrics.PREFIX + "guest_";
    private static final String GUEST = "guest";
    private static final double NANOS_PER_SECOND = 1e9;
    private static final List<String> FAULT_KINDS = List.of("ring", "descriptor", "address", "memory");

    private final List<GuestCounters> guests;
    private final List<MetricSnapshot> metrics = new ArrayList<>();

    private GuestMetrics(List<GuestCounters> guests) {
        this.guests = guests;
    }

    static List<MetricSnapshot> of(List<GuestCounters> guests) {
        GuestMetrics all = new GuestMetrics(guests);
        all.addCounters();
        all.addFaults();
        all.addGauges();
        all.addSourceState();
        all.addLatency();
        return all.metrics;
    }

    private void addCounters() {
        counter("bytes", Unit.BYTES, "Random bytes served.", of("bytes"));
        counter("requests", null, "Requests served.", of("requests"));
        counter("kicks", null, "Notifications by the guest's driver.", of("kicks"));
        counter("interrupts", null, "Notifications of the guest's driver.", of("interrupts"));
        counter("sessions", null, "Sessions of front-ends.", of("sessions"));
        counter("throttled", null, "How often a request had to wait for a rate limit.", of("throttled"));
        counter("throttled_seconds", Unit.SECONDS, "Time spent waiting for a rate limit.", seconds("throttled_time"));
        counter("starved", null, "How often a request had to wait for the source.", of("starved"));
        counter("starved_seconds", Unit.SECONDS, "Time spent waiting for the source.", seconds("starved_time"));
    }

    /**
     * Adds the faults by kind. The kind of faults that another host counted before the guest was migrated is unknown.
     */
    private void addFaults() {
        CounterSnapshot.Builder faults = CounterSnapshot.builder()
                .name(PREFIX + "faults")
                .help("Violations of VIRTIO by the guest's driver, and accesses to its memory that failed.");
        for (GuestCounters guest : guests) {
            long unknown = guest.values().get("faults");
            for (String kind : FAULT_KINDS) {
                long count = guest.values().get("faults_" + kind);
                unknown -= count;
                faults.dataPoint(fault(guest, kind, count));
            }
            faults.dataPoint(fault(guest, "unknown", Math.max(0, unknown)));
        }
        metrics.add(faults.build());
    }

    private static CounterDataPointSnapshot fault(GuestCounters guest, String kind, long count) {
        return CounterDataPointSnapshot.builder()
                .labels(Labels.of(GUEST, guest.name(), "kind", kind))
                .value((double) count)
                .build();
    }

    private void addGauges() {
        gauge("connected", null, "Whether a front-end is connected.", of("connected"), guest -> true);
        Predicate<GuestCounters> limited = GuestCounters::hasByteLimit;
        gauge("limit_bytes", Unit.BYTES, "Maximum number of bytes per period.", of("limit_bytes"), limited);
        gauge("limit_left_bytes", Unit.BYTES, "Bytes that the guest may receive now.", of("limit_bytes_left"), limited);
        gauge(
                "limit_requests",
                null,
                "Maximum number of requests per period.",
                of("limit_requests"),
                is("limit_requests"));
        gauge(
                "limit_period_seconds",
                Unit.SECONDS,
                "Length of the period.",
                seconds("limit_period"),
                is("limit_period"));
        gauge(
                "last_request_timestamp_seconds",
                Unit.SECONDS,
                "When a request was served last, since 1970.",
                seconds("last_request"),
                is("last_request"));
        gauge(
                "last_session_timestamp_seconds",
                Unit.SECONDS,
                "When a session began last, since 1970.",
                seconds("last_session"),
                is("last_session"));
    }

    private void addSourceState() {
        StateSetSnapshot.Builder states = StateSetSnapshot.builder()
                .name(PREFIX + "source_state")
                .help("The guest's source: not used yet, serves, has no bytes at the moment, or has failed.");
        for (GuestCounters guest : guests) {
            StateSetDataPointSnapshot.Builder point =
                    StateSetDataPointSnapshot.builder().labels(Labels.of(GUEST, guest.name()));
            for (SourceState state : SourceState.values()) {
                point.state(state.name().toLowerCase(Locale.ROOT), guest.sourceState() == state);
            }
            states.dataPoint(point.build());
        }
        metrics.add(states.build());
    }

    private void addLatency() {
        HistogramSnapshot.Builder histogram = HistogramSnapshot.builder()
                .name(PREFIX + "latency_seconds")
                .unit(Unit.SECONDS)
                .help("Time from the start of serving a kick until its requests were visible to the driver.");
        guests.stream()
                .filter(guest -> guest.latency().counts().length > 0)
                .forEach(guest -> histogram.dataPoint(HistogramDataPointSnapshot.builder()
                        .labels(Labels.of(GUEST, guest.name()))
                        .classicHistogramBuckets(buckets(guest.latency()))
                        .sum(guest.values().seconds("latency_sum"))
                        .build()));
        metrics.add(histogram.build());
    }

    /** Returns the count of each bucket. They are not cumulative: the exposition format adds them up. */
    private static ClassicHistogramBuckets buckets(LatencyDistribution latency) {
        long[] bounds = latency.bounds();
        ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
        for (int i = 0; i < bounds.length; i++) {
            boolean last = i == bounds.length - 1;
            buckets.bucket(last ? Double.POSITIVE_INFINITY : bounds[i] / NANOS_PER_SECOND, latency.counts()[i]);
        }
        return buckets.build();
    }

    private static ToDoubleFunction<GuestCounters> of(String field) {
        return guest -> guest.values().get(field);
    }

    private static ToDoubleFunction<GuestCounters> seconds(String field) {
        return guest -> guest.values().seconds(field);
    }

    private static Predicate<GuestCounters> is(String field) {
        return guest -> guest.values().get(field) != 0;
    }

    private void counter(String name, Unit unit, String help, ToDoubleFunction<GuestCounters> value) {
        CounterSnapshot.Builder counter =
                CounterSnapshot.builder().name(PREFIX + name).unit(unit).help(help);
        guests.forEach(guest -> counter.dataPoint(CounterDataPointSnapshot.builder()
                .labels(Labels.of(GUEST, guest.name()))
                .value(value.applyAsDouble(guest))
                .build()));
        metrics.add(counter.build());
    }

    private void gauge(
            String name,
            Unit unit,
            String help,
            ToDoubleFunction<GuestCounters> value,
            Predicate<GuestCounters> present) {
        GaugeSnapshot.Builder gauge =
                GaugeSnapshot.builder().name(PREFIX + name).unit(unit).help(help);
        guests.stream()
                .filter(present)
                .forEach(guest -> gauge.dataPoint(GaugeDataPointSnapshot.builder()
                        .labels(Labels.of(GUEST, guest.name()))
                        .value(value.applyAsDouble(guest))
                        .build()));
        metrics.add(gauge.build());
    }
}
