package org.vhostuserrng.cli.checksource;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.vhostuserrng.cli.checksource.estimator.EstimatorResult;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;
import org.vhostuserrng.cli.checksource.validation.TestResult;

/** The report of {@code check-source} as text: one result and its meaning per line. */
final class SourceCheckText {
    private static final int REQUIRED_SAMPLES = 1_000_000;

    private final SourceCheckReport report;
    private final PrintWriter out;

    private SourceCheckText(SourceCheckReport report, PrintWriter out) {
        this.report = report;
        this.out = out;
    }

    static void print(SourceCheckReport report, PrintWriter out) {
        new SourceCheckText(report, out).print();
    }

    private void print() {
        line("source", report.source(), "");
        line("result", report.isHealthy() ? "passed" : "FAILED", String.join("; ", report.faults()));
        ByteStatistics statistics = report.samples().statistics();
        String fault = report.samples().fault();
        line("health tests", fault.isEmpty() ? "passed" : "FAILED", fault);
        line("bytes tested", Long.toString(statistics.bytes()), "");
        if (report.assessment() == null) {
            return;
        }
        line("bytes/s", decimal(report.samples().bytesPerSecond(), 0), "");
        printEstimates(report.assessment());
        printStatistics(statistics);
        for (TestResult test : report.tests()) {
            line(test.name(), test.passed() ? "passed" : "FAILED", test.detail());
        }
        out.println();
        printMeaning();
    }

    private void printEstimates(MinEntropyAssessment assessment) {
        line(
                "min-entropy, bits/sample",
                decimal(assessment.perSample(), 3),
                "the smallest of these estimates (SP 800-90B §3.1.3):");
        printEstimates(assessment.results(), "§", assessment.width());
        printEstimates(assessment.supplements(), "not of SP 800-90B: ", assessment.width());
    }

    private void printEstimates(List<EstimatorResult> results, String prefix, int width) {
        Map<String, double[]> rows = new LinkedHashMap<>();
        for (EstimatorResult result : results) {
            double[] row = rows.computeIfAbsent(
                    (result.section() + " " + result.name()).strip(), _ -> new double[] {Double.NaN, Double.NaN});
            row[result.ofBits() ? 1 : 0] = result.ofBits() ? width * result.bits() : result.bits();
        }
        boolean hasBits = results.stream().anyMatch(EstimatorResult::ofBits);
        for (Map.Entry<String, double[]> row : rows.entrySet()) {
            double[] bits = row.getValue();
            String perBit = hasBits && !Double.isNaN(bits[1])
                    ? "from its bits: " + decimal(bits[1], 3) + " (" + width + " × " + decimal(bits[1] / width, 4) + ")"
                    : "";
            line("  " + prefix + row.getKey(), Double.isNaN(bits[0]) ? "-" : decimal(bits[0], 3), perBit);
        }
    }

    private void printStatistics(ByteStatistics statistics) {
        double sigmas = (report.onesRatio() - 0.5) * 2 * Math.sqrt((double) statistics.bits());
        line("ones", decimal(report.onesRatio(), 6), decimal(sigmas, 1) + " sigma from 0.5");
        line(
                "chi-square of bytes",
                decimal(statistics.chiSquare(), 1),
                "p = " + decimal(report.chiSquareProbability(), 4) + ", " + uniformity());
        double expected = Math.log((double) statistics.bits()) / Math.log(2);
        line(
                "longest run of bits",
                Long.toString(statistics.longestRun()),
                "expected about " + decimal(expected, 0) + " of uniform bits");
    }

    private String uniformity() {
        if (report.isTooUniform()) {
            return "suspicious: more uniform than random bytes";
        }
        return report.isNotUniform()
                ? "not uniform, which the estimates take into account"
                : "as expected of uniform bytes";
    }

    private void printMeaning() {
        int samples = report.samples().first().length;
        paragraph(
                "Shown: ",
                "no estimator finds less than "
                        + decimal(report.assessment().perSample(), 3)
                        + " bits of min-entropy per sample in " + samples + " samples of "
                        + report.assessment().width() + (report.assessment().width() == 1 ? " bit." : " bits."));
        paragraph(
                "Not shown: ",
                "that the source has so much. The estimators find common values, dependencies on the last 16 samples"
                        + " or bits, any dependency on one sample up to 4096 places earlier, one lag of up to half the"
                        + " samples, repeated sequences, and recurrences with two"
                        + " terms within 32 samples or 256 bits. They do not find a period longer than half the"
                        + " samples, nor a dependency on three or more distant samples. Deterministic generators, such"
                        + " as a PRNG or a DRBG with a known seed, pass by nature. A claim of entropy needs a model of"
                        + " how the source works.");
        if (samples < REQUIRED_SAMPLES) {
            paragraph(
                    "Note: ",
                    "SP 800-90B §3.1.1 requires " + REQUIRED_SAMPLES + " samples; estimates from fewer are rough and"
                            + " mostly too low.");
        }
        if (report.samples().statistics().bytes() > samples) {
            paragraph("Note: ", "the estimates are of the first " + samples + " bytes, the health tests of all.");
        }
    }

    private void paragraph(String title, String text) {
        StringBuilder line = new StringBuilder(title);
        for (String word : List.of(text.split(" ", -1))) {
            if (line.length() + word.length() >= 100) {
                out.println(line.toString().stripTrailing());
                line.setLength(0);
                line.append("  ");
            }
            line.append(word).append(' ');
        }
        out.println(line.toString().stripTrailing());
    }

    private void line(String name, String value, String note) {
        String line = String.format(Locale.ROOT, "%-41s %14s  %s", name, value, note);
        out.println(line.stripTrailing());
    }

    private static String decimal(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }
}
