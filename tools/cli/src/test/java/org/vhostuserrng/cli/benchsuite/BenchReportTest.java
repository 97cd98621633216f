package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.cli.benchsuite.SingleGuestBenchmark.GuestWorkload;

class BenchReportTest {
    private static final BenchSuiteParameters PARAMETERS =
            new BenchSuiteParameters(3, Duration.ofMillis(500), List.of(1));
    private static final Map<String, String> ENVIRONMENT = Map.of("CPU", "a processor");

    @TempDir
    private Path directory;

    private final BenchSamples samples = new BenchSamples();

    @BeforeEach
    void measure() {
        measure(BenchCandidate.daemonName("getrandom"), 12_000);
        measure(BenchCandidate.REFERENCE, 10_000);
        samples.add(
                new SampleKey(
                        BenchReportSection.SINGLE,
                        GuestWorkload.PAGE_4K.scenario(CpuPlacement.ONE_CPU),
                        BenchCandidate.REFERENCE),
                BenchMetric.BANDWIDTH,
                208.25);
        samples.add(
                new SampleKey(BenchReportSection.MEMORY, "1,000 guests", BenchCandidate.REFERENCE),
                BenchMetric.RSS,
                12);
        samples.note("a guest\n under QEMU: no QEMU");
    }

    private void measure(String candidate, long nanos) {
        SampleKey key = new SampleKey(
                BenchReportSection.SINGLE, GuestWorkload.DEPTH_1.scenario(CpuPlacement.ONE_CPU), candidate);
        Histogram latencies = new Histogram(1_000_000_000, 3);
        latencies.recordValue(nanos);
        samples.add(key, latencies);
        samples.add(key, BenchMetric.P50, nanos / 1e3);
        samples.add(key, BenchMetric.RATE, 1e9 / nanos);
    }

    private String markdown() {
        return BenchMarkdownReport.write(samples, PARAMETERS, ENVIRONMENT, new BenchPlotBuilder(samples).all());
    }

    @Test
    void rowHasTheMedianAndTheRatioToTheReference() {
        assertTrue(markdown().contains("| vhost-user-rng getrandom | 12.0 (1.20) |"), this::markdown);
        assertTrue(markdown().contains("| C getrandom | 10.0 |"), this::markdown);
    }

    @Test
    void reportHasTheHostAndTheNotes() {
        assertTrue(markdown().contains("| CPU | a processor |"), this::markdown);
        assertTrue(markdown().contains("- a guest under QEMU: no QEMU"), this::markdown);
    }

    @Test
    void sectionsWithoutSamplesAreOmitted() {
        assertTrue(markdown().contains("## " + BenchReportSection.MEMORY.title()), this::markdown);
        assertFalse(markdown().contains("## " + BenchReportSection.MANY.title()), this::markdown);
    }

    @Test
    void allPlotsOfTheReportAreWritten() throws IOException {
        List<BenchPlot> plots = new BenchPlotBuilder(samples).all();

        for (BenchPlot plot : plots) {
            plot.draw(directory);
        }

        assertEquals(
                List.of("latency.svg", "throughput.svg", "memory.svg"),
                plots.stream().map(BenchPlot::file).toList());
        for (BenchPlot plot : plots) {
            assertTrue(markdown().contains("](" + plot.file() + ")"), this::markdown);
            assertTrue(Files.readString(directory.resolve(plot.file())).contains("</svg>"), plot::file);
        }
    }

    @Test
    void coordinatesOfAPlotAreTruncatedToTenths() {
        assertEquals("M-6.0,0.9 L12,3", BenchPlot.roundCoordinates("M-6.015625,0.9375 L12,3"));
    }

    @Test
    void jsonReportHasEverySample() throws IOException {
        measure(BenchCandidate.REFERENCE, 20_000);

        List<Double> p50 = new ArrayList<>();
        try (JsonParser json =
                new JsonFactory().createParser(BenchJsonReport.write(samples, PARAMETERS, ENVIRONMENT))) {
            while (json.nextToken() != null) {
                if (json.currentToken() == JsonToken.START_ARRAY
                        && BenchMetric.P50.label().equals(json.currentName())) {
                    while (json.nextToken() != JsonToken.END_ARRAY) {
                        p50.add(json.getDoubleValue());
                    }
                }
            }
        }
        assertEquals(List.of(12.0, 10.0, 20.0), p50);
    }

    @Test
    void briefFormatHasThreeSignificantDigits() {
        assertEquals("0.93", BenchMarkdownReport.brief(0.9268));
        assertEquals("12.3", BenchMarkdownReport.brief(12.34));
        assertEquals("1,500", BenchMarkdownReport.brief(1500));
        assertEquals("4", BenchMarkdownReport.brief(4));
    }

    @Test
    void guestCountIsParsedFromTheScenario() {
        assertEquals(1000, BenchPlotBuilder.guestCount(ManyGuestsBenchmark.scenario(1000, CpuPlacement.ONE_CPU)));
    }
}
