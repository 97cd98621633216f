package org.vhostuserrng.cli.benchsuite;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;

/** The report for people. */
final class BenchMarkdownReport {
    private final BenchSamples samples;
    private final BenchSuiteParameters parameters;
    private final Map<String, String> environment;
    private final List<BenchPlot> plots;
    private final StringBuilder text = new StringBuilder();

    private BenchMarkdownReport(
            BenchSamples samples, BenchSuiteParameters pace, Map<String, String> environment, List<BenchPlot> plots) {
        this.samples = samples;
        this.parameters = pace;
        this.environment = environment;
        this.plots = plots;
    }

    /** Writes the report, which shows the plots that lie beside it. */
    static String write(
            BenchSamples samples, BenchSuiteParameters pace, Map<String, String> environment, List<BenchPlot> plots) {
        BenchMarkdownReport report = new BenchMarkdownReport(samples, pace, environment, plots);
        report.head();
        report.goals();
        report.sections();
        report.notes();
        return report.text.toString();
    }

    private void head() {
        line("# How vhost-user-rng compares");
        line("");
        line("Medians of " + parameters.rounds() + " rounds of "
                + number(parameters.measureTime().toMillis() / 1e3, 1)
                + " s in which the back-ends took turns. In parentheses:"
                + " the multiple of *" + BenchCandidate.REFERENCE
                + "*, a plain back-end in C, in the same rounds. Trust the"
                + " multiples: the figures themselves are this machine's, and this hour's.");
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
            List<Key> subjects = samples.keys(section);
            if (!subjects.isEmpty()) {
                line("");
                line("## " + section.title());
                plots.stream().filter(plot -> plot.section() == section).forEach(this::picture);
                scenarios(subjects).forEach((scenario, those) -> table(section, scenario, those));
            }
        }
    }

    private void picture(BenchPlot plot) {
        line("");
        line("![" + plot.title() + "](" + plot.file() + ")");
    }

    private static Map<String, List<Key>> scenarios(List<Key> subjects) {
        return subjects.stream().collect(Collectors.groupingBy(Key::scenario, LinkedHashMap::new, Collectors.toList()));
    }

    private void table(BenchReportSection section, String scenario, List<Key> subjects) {
        line("");
        row(prepended(
                "**" + scenario + "**",
                section.metrics().stream().map(BenchMetric::label).toList()));
        rule(1 + section.metrics().size());
        for (Key subject : subjects) {
            row(prepended(
                    subject.candidate(),
                    section.metrics().stream()
                            .map(figure -> cell(subject, figure))
                            .toList()));
        }
    }

    private String cell(Key subject, BenchMetric figure) {
        OptionalDouble median = samples.median(subject, figure);
        if (median.isEmpty()) {
            return "";
        }
        String value = number(median.getAsDouble(), figure.decimals());
        OptionalDouble ratio = samples.ratio(subject, figure, BenchCandidate.REFERENCE);
        boolean isReference = subject.candidate().equals(BenchCandidate.REFERENCE);
        return ratio.isEmpty() || isReference ? value : value + " (" + brief(ratio.getAsDouble()) + ")";
    }

    private void notes() {
        if (!samples.notes().isEmpty()) {
            line("");
            line("## Not measured");
            line("");
            samples.notes().forEach(remark -> line("- " + remark.replaceAll("\\R\\s*", " ")));
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

    /** Three digits that mean something, or all before the point. */
    static String brief(double value) {
        double size = Math.abs(value);
        int decimals = size >= 100 || value == Math.rint(value) ? 0 : size >= 10 ? 1 : 2;
        return number(value, decimals);
    }
}
