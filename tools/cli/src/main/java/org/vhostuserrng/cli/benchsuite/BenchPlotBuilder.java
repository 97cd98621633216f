package org.vhostuserrng.cli.benchsuite;

import java.awt.Color;
import java.awt.Font;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.HdrHistogram.Histogram;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.cli.benchsuite.SingleGuestBenchmark.GuestWorkload;

/** Builds the plots of the report from the samples. */
final class BenchPlotBuilder {
    private static final double NANOS_PER_MICRO = 1e3;
    /**
     * The x values of latency plots: 100 / (100 - percentile) on a logarithmic axis, so that 90 to 99 % is as wide as
     * 99 to 99.9 %.
     */
    private static final double[] ONE_IN = {1, 1.5, 2, 4, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

    private static final int WORD_ROTATION = 20;
    private static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 11);
    private static final Font LARGE = new Font(Font.SANS_SERIF, Font.BOLD, 14);

    private final BenchSamples samples;

    BenchPlotBuilder(BenchSamples samples) {
        this.samples = samples;
    }

    List<BenchPlot> all() {
        List<BenchPlot> plots = new ArrayList<>();
        String alone = GuestWorkload.DEPTH_1.scenario(CpuPlacement.ONE_CPU);
        latencies(plots, BenchReportSection.SINGLE, alone, "latency.svg");
        throughput(plots);
        overGuests(
                plots,
                BenchReportSection.MANY,
                BenchMetric.CPU,
                "cpu.svg",
                "CPU time of the back-end, 16 in-flight requests, one CPU");
        overGuests(
                plots,
                BenchReportSection.MANY,
                BenchMetric.CONNECT_BURST_P99,
                "burst.svg",
                "Connect burst: first request of all guests at once");
        overGuests(plots, BenchReportSection.MEMORY, BenchMetric.RSS, "memory.svg", "Memory of the back-end");
        samples.keys(BenchReportSection.PACED).stream()
                .map(SampleKey::scenario)
                .findFirst()
                .ifPresent(scenario -> latencies(plots, BenchReportSection.PACED, scenario, "paced.svg"));
        return plots;
    }

    private void latencies(List<BenchPlot> plots, BenchReportSection section, String scenario, String file) {
        String title = scenario + ": minimum latency of the slowest 1 in N requests";
        XYChart chart = xy(title, "N", "µs");
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisLogarithmic(true);
        samples.latencies().forEach((key, latencies) -> {
            if (key.section() == section && key.scenario().equals(scenario) && latencies.getTotalCount() > 0) {
                add(chart, key.candidate(), ONE_IN, percentiles(latencies));
            }
        });
        addIfNotEmpty(plots, section, file, title, chart);
    }

    private static double[] percentiles(Histogram latencies) {
        double[] micros = new double[ONE_IN.length];
        for (int i = 0; i < micros.length; i++) {
            double nanos = latencies.getValueAtPercentile(100 - 100 / ONE_IN[i]);
            micros[i] = Math.max(nanos, 1) / NANOS_PER_MICRO;
        }
        return micros;
    }

    private void throughput(List<BenchPlot> plots) {
        String title = "Throughput of one guest; guest and back-end on one CPU";
        CategoryChart chart = new CategoryChartBuilder()
                .width(BenchPlot.WIDTH)
                .height(BenchPlot.HEIGHT)
                .theme(ChartTheme.XChart)
                .title(title)
                .yAxisTitle("MB/s")
                .build();
        style(chart.getStyler());
        chart.getStyler().setXAxisLabelRotation(WORD_ROTATION);
        for (GuestWorkload load : List.of(GuestWorkload.PAGE_4K, GuestWorkload.BUFFER_64K)) {
            Map<String, Double> bars = new LinkedHashMap<>();
            String scenario = load.scenario(CpuPlacement.ONE_CPU);
            for (SampleKey key : samples.keys(BenchReportSection.SINGLE)) {
                OptionalDouble rate = samples.median(key, BenchMetric.BANDWIDTH);
                if (key.scenario().equals(scenario) && rate.isPresent()) {
                    bars.put(key.candidate(), rate.getAsDouble());
                }
            }
            if (!bars.isEmpty()) {
                chart.addSeries(scenario, new ArrayList<>(bars.keySet()), new ArrayList<>(bars.values()));
            }
        }
        if (!chart.getSeriesCollection().isEmpty()) {
            plots.add(new BenchPlot(BenchReportSection.SINGLE, "throughput.svg", title, chart));
        }
    }

    /** Plots a metric of each candidate as a function of the number of guests. */
    private void overGuests(
            List<BenchPlot> plots, BenchReportSection section, BenchMetric metric, String file, String title) {
        XYChart chart = xy(title, "guests", metric.label());
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisMin(0.0);
        Map<String, Map<Double, Double>> lines = new LinkedHashMap<>();
        for (SampleKey key : samples.keys(section)) {
            samples.median(key, metric)
                    .ifPresent(value -> lines.computeIfAbsent(key.candidate(), first -> new LinkedHashMap<>())
                            .put(guestCount(key.scenario()), value));
        }
        lines.forEach((candidate, line) -> add(chart, candidate, array(line.keySet()), array(line.values())));
        addIfNotEmpty(plots, section, file, title, chart);
    }

    /** Returns the number of guests at the start of a scenario's name. */
    static double guestCount(String scenario) {
        return Double.parseDouble(scenario.substring(0, scenario.indexOf(' ')).replace(",", ""));
    }

    private static double[] array(Collection<Double> numbers) {
        return numbers.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static XYChart xy(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(BenchPlot.WIDTH)
                .height(BenchPlot.HEIGHT)
                .theme(ChartTheme.XChart)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        style(chart.getStyler());
        return chart;
    }

    private static void style(AxesChartStyler styler) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setChartTitleBoxVisible(false);
        styler.setChartTitleFont(LARGE);
        styler.setAxisTitleFont(SMALL);
        styler.setAxisTickLabelsFont(SMALL);
        styler.setLegendFont(SMALL);
        styler.setLegendPosition(LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
    }

    private static void add(XYChart chart, String name, double[] x, double[] y) {
        chart.addSeries(name, x, y).setMarker(x.length > 5 ? SeriesMarkers.NONE : SeriesMarkers.CIRCLE);
    }

    private static void addIfNotEmpty(
            List<BenchPlot> plots, BenchReportSection section, String file, String title, XYChart chart) {
        if (!chart.getSeriesCollection().isEmpty()) {
            plots.add(new BenchPlot(section, file, title, chart));
        }
    }
}
