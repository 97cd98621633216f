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

/** Everything that was measured, in the order in which it first was. */
final class BenchSamples {
    /**
     * What was measured.
     *
     * @param scenario the load
     * @param candidate the name of the back-end under it
     */
    record Key(BenchReportSection section, String scenario, String candidate) {}

    private final Map<Key, Map<BenchMetric, List<Double>>> metrics = new LinkedHashMap<>();
    private final Map<Key, Histogram> latencies = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    void add(Key subject, BenchMetric figure, double value) {
        metrics.computeIfAbsent(subject, first -> new EnumMap<>(BenchMetric.class))
                .computeIfAbsent(figure, first -> new ArrayList<>())
                .add(value);
    }

    /** Adds to the distribution of a subject's latencies, in nanoseconds. */
    void add(Key subject, Histogram more) {
        latencies.merge(subject, more.copy(), (all, added) -> {
            all.add(added);
            return all;
        });
    }

    /** Something that the reader of the report has to know, such as what could not be measured. */
    void note(String remark) {
        if (!notes.contains(remark)) {
            notes.add(remark);
        }
    }

    List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    Collection<Key> keys() {
        return Collections.unmodifiableCollection(metrics.keySet());
    }

    List<Key> keys(BenchReportSection section) {
        return metrics.keySet().stream()
                .filter(subject -> subject.section() == section)
                .toList();
    }

    Map<Key, Histogram> latencies() {
        return Collections.unmodifiableMap(latencies);
    }

    /** Every value of a figure; none if it was not measured. */
    List<Double> values(Key subject, BenchMetric figure) {
        return Collections.unmodifiableList(
                metrics.getOrDefault(subject, Map.of()).getOrDefault(figure, List.of()));
    }

    /** The median of a figure, if it was measured. */
    OptionalDouble median(Key subject, BenchMetric figure) {
        List<Double> values = values(subject, figure);
        return values.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(median(values));
    }

    /** A figure as a multiple of another candidate's in the same scenario, if both were measured. */
    OptionalDouble ratio(Key subject, BenchMetric figure, String reference) {
        OptionalDouble ours = median(subject, figure);
        OptionalDouble theirs = median(new Key(subject.section(), subject.scenario(), reference), figure);
        if (ours.isEmpty() || theirs.isEmpty() || theirs.getAsDouble() == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(ours.getAsDouble() / theirs.getAsDouble());
    }

    /** The middle one, or the mean of the two in the middle. */
    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalArgumentException("nothing has no median");
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
