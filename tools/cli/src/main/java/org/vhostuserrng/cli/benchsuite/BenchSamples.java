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
    record Subject(BenchReportSection section, String scenario, String candidate) {}

    private final Map<Subject, Map<BenchMetric, List<Double>>> figures = new LinkedHashMap<>();
    private final Map<Subject, Histogram> latencies = new LinkedHashMap<>();
    private final List<String> remarks = new ArrayList<>();

    void add(Subject subject, BenchMetric figure, double value) {
        figures.computeIfAbsent(subject, first -> new EnumMap<>(BenchMetric.class))
                .computeIfAbsent(figure, first -> new ArrayList<>())
                .add(value);
    }

    /** Adds to the distribution of a subject's latencies, in nanoseconds. */
    void add(Subject subject, Histogram more) {
        latencies.merge(subject, more.copy(), (all, added) -> {
            all.add(added);
            return all;
        });
    }

    /** Something that the reader of the report has to know, such as what could not be measured. */
    void remark(String remark) {
        if (!remarks.contains(remark)) {
            remarks.add(remark);
        }
    }

    List<String> remarks() {
        return Collections.unmodifiableList(remarks);
    }

    Collection<Subject> subjects() {
        return Collections.unmodifiableCollection(figures.keySet());
    }

    List<Subject> subjects(BenchReportSection section) {
        return figures.keySet().stream()
                .filter(subject -> subject.section() == section)
                .toList();
    }

    Map<Subject, Histogram> latencies() {
        return Collections.unmodifiableMap(latencies);
    }

    /** Every value of a figure; none if it was not measured. */
    List<Double> values(Subject subject, BenchMetric figure) {
        return Collections.unmodifiableList(
                figures.getOrDefault(subject, Map.of()).getOrDefault(figure, List.of()));
    }

    /** The median of a figure, if it was measured. */
    OptionalDouble median(Subject subject, BenchMetric figure) {
        List<Double> values = values(subject, figure);
        return values.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(median(values));
    }

    /** A figure as a multiple of another candidate's in the same scenario, if both were measured. */
    OptionalDouble ratio(Subject subject, BenchMetric figure, String reference) {
        OptionalDouble ours = median(subject, figure);
        OptionalDouble theirs = median(new Subject(subject.section(), subject.scenario(), reference), figure);
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
