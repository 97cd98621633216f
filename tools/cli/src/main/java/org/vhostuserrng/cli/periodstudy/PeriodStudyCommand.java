package org.vhostuserrng.cli.periodstudy;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.process.PlotFonts;
import org.vhostuserrng.cli.process.TerminalProgressBar;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code period-study}: plots how the period of a rate limit affects a guest that reads continuously. */
@Command(
        name = "period-study",
        description =
                "Plot the throughput over time of a guest that reads continuously, under three rate limits: windows of"
                        + " 20 MB/1 s and of 100 MB/5 s, and smooth 20 MB/s.",
        mixinStandardHelpOptions = true)
public final class PeriodStudyCommand implements Callable<Integer> {
    /** The measured limits: the two of the experiment in QEMU's documentation, and the same rate in smooth mode. */
    private enum RateLimitCase {
        SECOND("window, 20 MB / 1 s", "window", 20_000_000, 1000),
        FIVE_SECONDS("window, 100 MB / 5 s", "window", 100_000_000, 5000),
        SMOOTH("smooth, 20 MB / 1 s", "smooth", 20_000_000, 1000);

        private final String label;
        private final String mode;
        private final long maxBytes;
        private final int period;

        RateLimitCase(String label, String mode, long maxBytes, int period) {
            this.label = label;
            this.mode = mode;
            this.maxBytes = maxBytes;
            this.period = period;
        }

        List<String> options() {
            return List.of("--limit-mode=" + mode, "--max-bytes=" + maxBytes, "--period=" + period);
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--socket-path",
            paramLabel = "PATH",
            description = "Measure the daemon that listens on this socket instead of starting daemons.")
    private Path socketPath;

    @Option(
            names = "--seconds",
            defaultValue = "15",
            paramLabel = "N",
            converter = SecondsConverter.class,
            description = "Duration of each run in seconds, 1..300 (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--output",
            defaultValue = "period-study",
            paramLabel = "PREFIX",
            description = "Write PREFIX.svg, PREFIX.png and PREFIX.csv (default: ${DEFAULT-VALUE}).")
    private String output;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PlotFonts.require();
        List<GuestThroughputSeries> all = socketPath == null ? studyLimits() : List.of(studyRunning());
        PeriodStudyPlot plot =
                new PeriodStudyPlot("Throughput of a guest that reads continuously, limited to 20 MB/s", all);
        plot.svg(NativePath.of(output + ".svg"));
        plot.png(NativePath.of(output + ".png"));
        Files.writeString(NativePath.of(output + ".csv"), csv(all));
        print(all);
        return 0;
    }

    private List<GuestThroughputSeries> studyLimits() throws IOException, InterruptedException {
        List<GuestThroughputSeries> all = new ArrayList<>();
        try (TerminalProgressBar progress = progress(RateLimitCase.values().length)) {
            for (RateLimitCase limit : RateLimitCase.values()) {
                try (RateLimitedDaemonProcess daemon = RateLimitedDaemonProcess.start(limit.options())) {
                    all.add(GuestThroughputRecorder.record(limit.label, daemon.socket(), seconds, progress));
                }
            }
        }
        return all;
    }

    private GuestThroughputSeries studyRunning() throws IOException {
        try (TerminalProgressBar progress = progress(1)) {
            return GuestThroughputRecorder.record(NativePath.text(socketPath), socketPath, seconds, progress);
        }
    }

    private TerminalProgressBar progress(int runs) {
        return TerminalProgressBar.onTerminal(
                "period-study", (long) runs * seconds * GuestThroughputSeries.INTERVALS_PER_SECOND);
    }

    /** Returns one line per interval: its start time in seconds, then the number of bytes of each series. */
    static String csv(List<GuestThroughputSeries> all) {
        StringBuilder csv = new StringBuilder("seconds");
        for (GuestThroughputSeries series : all) {
            csv.append(",\"").append(series.name().replace("\"", "\"\"")).append('"');
        }
        csv.append('\n');
        double[] seconds = all.getFirst().seconds();
        for (int i = 0; i < seconds.length; i++) {
            csv.append(String.format(Locale.ROOT, "%.1f", seconds[i]));
            for (GuestThroughputSeries series : all) {
                csv.append(',').append(series.bytes().get(i));
            }
            csv.append('\n');
        }
        return csv.toString();
    }

    private void print(List<GuestThroughputSeries> all) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(String.format("%-24s %10s %22s %12s", "", "MB/s", "peak MB in 100 ms", "idle %"));
        for (GuestThroughputSeries series : all) {
            out.println(String.format(
                    Locale.ROOT,
                    "%-24s %10.2f %22.2f %12.1f",
                    series.name(),
                    series.megabytesPerSecond(),
                    series.peakMegabytes(),
                    100 * series.idleShare()));
        }
        out.println(NativeText.printable("written: " + output + ".svg, " + output + ".png, " + output + ".csv"));
        out.flush();
    }

    static final class SecondsConverter extends IntegerRangeConverter {
        SecondsConverter() {
            super(1, 300);
        }
    }
}
