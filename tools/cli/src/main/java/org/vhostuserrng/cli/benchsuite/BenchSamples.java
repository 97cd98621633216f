package org.vhostuserrng.cli.benchsuite;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.HdrHistogram.Histogram;

/** All measured values. The rows are in the order of their first measurement. */
final class BenchSamples {
    /**
     * Identifies a row of the report.
     *
     * @param scenario name of the load
     * @param candidate name of the back-end
     */
    record SampleKey(BenchReportSection section, String scenario, String candidate) {}

    private final Map<SampleKey, Map<BenchMetric, List<Double>>> metrics = new LinkedHashMap<>();
    private final Map<SampleKey, Histogram> latencies = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    void add(SampleKey key, BenchMetric metric, double value) {
        metrics.computeIfAbsent(key, first -> new EnumMap<>(BenchMetric.class))
                .computeIfAbsent(metric, first -> new ArrayList<>())
                .add(value);
    }

    /** Adds latencies in nanoseconds to the distribution of {@code key}. */
    void add(SampleKey key, Histogram more) {
        latencies.merge(key, more.copy(), (all, added) -> {
            all.add(added);
            return all;
        });
    }

    /** Adds a note for the reader of the report, for example that something could not be measured. */
    void note(String note) {
        if (!notes.contains(note)) {
            notes.add(note);
        }
    }

    List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    Collection<SampleKey> keys() {
        return Collections.unmodifiableCollection(metrics.keySet());
    }

    List<SampleKey> keys(BenchReportSection section) {
        return metrics.keySet().stream().filter(key -> key.section() == section).toList();
    }

    Map<SampleKey, Histogram> latencies() {
        return Collections.unmodifiableMap(latencies);
    }

    /** All values of a metric; empty if the metric was not measured. */
    List<Double> values(SampleKey key, BenchMetric metric) {
        return Collections.unmodifiableList(metrics.getOrDefault(key, Map.of()).getOrDefault(metric, List.of()));
    }

    /** The median of a metric; empty if the metric was not measured. */
    OptionalDouble median(SampleKey key, BenchMetric metric) {
        List<Double> values = values(key, metric);
        return values.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(median(values));
    }

    /**
     * The ratio of a metric to the same metric of {@code reference} in the same scenario; empty if one of them was not
     * measured.
     */
    OptionalDouble ratio(SampleKey key, BenchMetric metric, String reference) {
        OptionalDouble value = median(key, metric);
        OptionalDouble referenceValue = median(new SampleKey(key.section(), key.scenario(), reference), metric);
        if (value.isEmpty() || referenceValue.isEmpty() || referenceValue.getAsDouble() == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(value.getAsDouble() / referenceValue.getAsDouble());
    }

    /** Returns the middle value, or the mean of the two middle values. */
    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalArgumentException("no values");
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
