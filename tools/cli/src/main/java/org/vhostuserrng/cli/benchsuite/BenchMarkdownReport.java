package org.vhostuserrng.cli.benchsuite;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;

/** Writes the human-readable report: goals, plots and tables of medians. */
final class BenchMarkdownReport {
    private final BenchSamples samples;
    private final BenchSuiteParameters parameters;
    private final Map<String, String> environment;
    private final List<BenchPlot> plots;
    private final StringBuilder text = new StringBuilder();

    private BenchMarkdownReport(
            BenchSamples samples,
            BenchSuiteParameters parameters,
            Map<String, String> environment,
            List<BenchPlot> plots) {
        this.samples = samples;
        this.parameters = parameters;
        this.environment = environment;
        this.plots = plots;
    }

    /** Returns the report, which links to the plots in the same directory. */
    static String write(
            BenchSamples samples,
            BenchSuiteParameters parameters,
            Map<String, String> environment,
            List<BenchPlot> plots) {
        BenchMarkdownReport report = new BenchMarkdownReport(samples, parameters, environment, plots);
        report.head();
        report.goals();
        report.sections();
        report.notes();
        return report.text.toString();
    }

    private void head() {
        line("# Benchmark of vhost-user-rng");
        line("");
        line("Medians of " + parameters.rounds() + " rounds of "
                + number(parameters.measureTime().toMillis() / 1e3, 1)
                + " s each; the back-ends are measured in turn in"
                + " each round. In parentheses: the ratio to *" + BenchCandidate.REFERENCE
                + "*, a minimal back-end in C, measured in the same rounds. Compare ratios: absolute values depend on"
                + " the host and its current load.");
        line("");
        row(List.of("", ""));
        rule(2);
        environment.forEach((name, value) -> row(List.of(name, value)));
    }

    private void goals() {
        line("");
        line("## Goals");
        line("");
        row(List.of("", "goal", "measured", "met"));
        rule(4);
        for (PerformanceGoal goal : new PerformanceGoals(samples).all()) {
            String limit = goal.relation().sign() + " " + brief(goal.limit());
            String measured =
                    goal.measured().isPresent() ? brief(goal.measured().getAsDouble()) : "";
            row(List.of(goal.text(), limit, measured, goal.verdict()));
        }
    }

    private void sections() {
        for (BenchReportSection section : BenchReportSection.values()) {
            List<SampleKey> keys = samples.keys(section);
            if (!keys.isEmpty()) {
                line("");
                line("## " + section.title());
                plots.stream().filter(plot -> plot.section() == section).forEach(this::picture);
                scenarios(keys).forEach((scenario, sectionKeys) -> table(section, scenario, sectionKeys));
            }
        }
    }

    private void picture(BenchPlot plot) {
        line("");
        line("![" + plot.title() + "](" + plot.file() + ")");
    }

    private static Map<String, List<SampleKey>> scenarios(List<SampleKey> keys) {
        return keys.stream()
                .collect(Collectors.groupingBy(SampleKey::scenario, LinkedHashMap::new, Collectors.toList()));
    }

    private void table(BenchReportSection section, String scenario, List<SampleKey> keys) {
        line("");
        row(prepended(
                "**" + scenario + "**",
                section.metrics().stream().map(BenchMetric::label).toList()));
        rule(1 + section.metrics().size());
        for (SampleKey key : keys) {
            row(prepended(
                    key.candidate(),
                    section.metrics().stream().map(metric -> cell(key, metric)).toList()));
        }
    }

    private String cell(SampleKey key, BenchMetric metric) {
        OptionalDouble median = samples.median(key, metric);
        if (median.isEmpty()) {
            return "";
        }
        String value = number(median.getAsDouble(), metric.decimals());
        OptionalDouble ratio = samples.ratio(key, metric, BenchCandidate.REFERENCE);
        boolean isReference = key.candidate().equals(BenchCandidate.REFERENCE);
        return ratio.isEmpty() || isReference ? value : value + " (" + brief(ratio.getAsDouble()) + ")";
    }

    private void notes() {
        if (!samples.notes().isEmpty()) {
            line("");
            line("## Not measured");
            line("");
            samples.notes().forEach(note -> line("- " + note.replaceAll("\\R\\s*", " ")));
        }
    }

    private static List<String> prepended(String first, List<String> others) {
        return Stream.concat(Stream.of(first), others.stream()).toList();
    }

    private void row(List<String> cells) {
        line("| " + String.join(" | ", cells) + " |");
    }

    private void rule(int columns) {
        line("|---" + "|---:".repeat(columns - 1) + "|");
    }

    private void line(String line) {
        text.append(line).append('\n');
    }

    private static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** Formats a value with three significant digits, or with all digits before the decimal point. */
    static String brief(double value) {
        double size = Math.abs(value);
        int decimals = size >= 100 || value == Math.rint(value) ? 0 : size >= 10 ? 1 : 2;
        return number(value, decimals);
    }
}
