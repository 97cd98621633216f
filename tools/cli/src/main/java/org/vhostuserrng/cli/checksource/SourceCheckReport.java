package org.vhostuserrng.cli.checksource;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The result of {@code check-source}.
 *
 * @param source the source, in the syntax of {@code --source}
 * @param fault the failed health test, or the reason why there were too few bytes; empty if the source is healthy
 * @param statistics statistics of the received bytes
 * @param bytesPerSecond throughput of the source
 */
record SourceCheckReport(String source, String fault, ByteStatistics statistics, double bytesPerSecond) {
    private static final double MAX_P = 0.9999;
    private static final int NAME_WIDTH = -26;

    boolean isHealthy() {
        return fault.isEmpty();
    }

    /** Min-entropy per byte in bits: the minimum of the estimates. */
    double minEntropy() {
        return Math.min(mostCommonValue(), Byte.SIZE * markov());
    }

    double mostCommonValue() {
        return MinEntropyEstimators.mostCommonValue(statistics.mostCommonByte(), statistics.bytes());
    }

    double markov() {
        return MinEntropyEstimators.markov(statistics);
    }

    double onesRatio() {
        return (double) statistics.ones() / statistics.bits();
    }

    /** Probability that an ideal source has a larger chi-square. Near 0: biased. Near 1: too uniform to be random. */
    double chiSquareProbability() {
        // Wilson-Hilferty: the cube root of chi-square is approximately normally distributed.
        double k = ByteStatistics.VALUES - 1;
        double spread = 2 / (9 * k);
        double z = (Math.cbrt(statistics.chiSquare() / k) - (1 - spread)) / Math.sqrt(spread);
        return upperTail(z);
    }

    /** Upper tail of the normal distribution (Abramowitz and Stegun 26.2.17), with an error below 1e-7. */
    private static double upperTail(double z) {
        if (z < 0) {
            return 1 - upperTail(-z);
        }
        double t = 1 / (1 + 0.2316419 * z);
        double polynomial =
                t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * polynomial;
    }

    private boolean hasEstimates() {
        return statistics.bytes() > 1;
    }

    private Map<String, Object> figures() {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("bytes", statistics.bytes());
        if (hasEstimates()) {
            figures.put("bytesPerSecond", bytesPerSecond());
            figures.put("minEntropyPerByte", minEntropy());
            figures.put("mostCommonValuePerByte", mostCommonValue());
            figures.put("markovPerBit", markov());
            figures.put("onesRatio", onesRatio());
            figures.put("byteChiSquare", statistics.chiSquare());
            figures.put("byteChiSquareP", chiSquareProbability());
            figures.put("longestRunBits", statistics.longestRun());
        }
        return figures;
    }

    String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("source", source);
            json.writeBooleanField("healthy", isHealthy());
            if (!isHealthy()) {
                json.writeStringField("fault", fault);
            }
            for (Map.Entry<String, Object> figure : figures().entrySet()) {
                if (figure.getValue() instanceof Long whole) {
                    json.writeNumberField(figure.getKey(), whole);
                } else {
                    json.writeNumberField(figure.getKey(), (double) figure.getValue());
                }
            }
            json.writeEndObject();
        }
        return text.toString();
    }

    /** Prints one metric per line, followed by the expected value. */
    void print(PrintWriter out) {
        line(out, "source", source, "");
        line(out, "health tests", isHealthy() ? "passed" : "FAILED", fault);
        line(out, "bytes tested", Long.toString(statistics.bytes()), "");
        if (!hasEstimates()) {
            return;
        }
        line(out, "bytes/s", decimal(bytesPerSecond(), 0), "");
        line(out, "min-entropy, bits/byte", decimal(minEntropy(), 3), "minimum of the next two; not a proof");
        line(out, "  most common value", decimal(mostCommonValue(), 3), "SP 800-90B §6.3.1, at most 8");
        line(out, "  Markov, of bits", decimal(Byte.SIZE * markov(), 3), "SP 800-90B §6.3.3, 8 × bit");
        double sigmas = (onesRatio() - 0.5) * 2 * Math.sqrt((double) statistics.bits());
        line(out, "ones", decimal(onesRatio(), 6), decimal(sigmas, 1) + " sigma from 0.5");
        double p = chiSquareProbability();
        String verdict = p < 1 - MAX_P || p > MAX_P ? "suspicious" : "plausible";
        line(out, "chi-square of bytes", decimal(statistics.chiSquare(), 1), "p = " + decimal(p, 4) + ", " + verdict);
        double expected = Math.log((double) statistics.bits()) / Math.log(2);
        line(
                out,
                "longest run of bits",
                Long.toString(statistics.longestRun()),
                "expected about " + decimal(expected, 0));
    }

    private static void line(PrintWriter out, String name, String value, String note) {
        String line = String.format(Locale.ROOT, "%" + NAME_WIDTH + "s %14s  %s", name, value, note);
        out.println(line.stripTrailing());
    }

    private static String decimal(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }
}
