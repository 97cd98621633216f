package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.process.PlotFonts;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code bench-suite}: measures this daemon, a reference back-end in C and other daemons, and writes a report. */
@Command(
        name = "bench-suite",
        description = "Compare this daemon with other vhost-user entropy devices and write a report.",
        mixinStandardHelpOptions = true)
public final class BenchSuiteCommand implements Callable<Integer> {
    /** System property that the launcher sets to its own path. */
    private static final String PROGRAM_PROPERTY = "vhost-user-rng.program";

    private static final BenchSuiteParameters FULL =
            new BenchSuiteParameters(5, Duration.ofMillis(500), List.of(1, 10, 100, 1000));
    private static final BenchSuiteParameters QUICK =
            new BenchSuiteParameters(1, Duration.ofMillis(100), List.of(1, 100));
    private static final double MAX_SECONDS = 60;

    @Spec
    private CommandSpec spec;

    private final long startedAt = System.nanoTime();

    @Option(
            names = "--out",
            defaultValue = "bench-report",
            paramLabel = "DIRECTORY",
            description = "Directory for report.md, report.json and the plots (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(
            names = "--peer",
            paramLabel = "COMMAND",
            description =
                    "Also measure this daemon. {socket} in COMMAND is replaced by the path of the socket, {guests} by"
                            + " the number of guests; with {guests}, each guest has its own socket, the path followed"
                            + " by 0, 1, 2 … Repeatable.")
    private List<String> peers = List.of();

    @Option(
            names = "--cases",
            split = ",",
            paramLabel = "CASE",
            converter = BenchSuiteCase.BenchSuiteCaseConverter.class,
            description = "Run only these cases: single, guests, startup, memory, qemu (default: all).")
    private Set<BenchSuiteCase> cases = EnumSet.allOf(BenchSuiteCase.class);

    @Option(
            names = "--quick",
            description = "Short run of about one minute instead of 15, to check that everything works.")
    private boolean quick;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            converter = RoundsConverter.class,
            description = "Number of rounds, 1..100 (default: 5).")
    private Integer rounds;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            converter = SecondsConverter.class,
            description = "Duration of each measurement in seconds, 0.01..60 (default: 0.5).")
    private Duration seconds;

    @Option(
            names = "--guests",
            split = ",",
            paramLabel = "N",
            converter = GuestCountConverter.class,
            description = "Numbers of guests to measure, each 1..1000 (default: 1,10,100,1000).")
    private List<Integer> guests;

    @Option(
            names = "--guest",
            paramLabel = "COMMAND",
            description = "Command that boots a Linux guest under QEMU: tools/guest/run.")
    private Path guest;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path program = program();
        List<BenchCandidate> others = peers.stream().map(this::peer).toList();
        PlotFonts.require();
        Files.createDirectories(out);
        Path scratch = Files.createTempDirectory("bench");
        BenchSamples samples = new BenchSamples();
        BenchSuiteParameters parameters = parameters();
        Map<String, String> environment = BenchHostInfo.describe();
        Runtime.getRuntime().addShutdownHook(new Thread(BenchSuiteCommand::terminateChildren, "end-children"));
        try {
            BenchSuiteContext bench = new BenchSuiteContext(
                    new BenchCandidateList(program, reference(scratch, samples), others),
                    parameters,
                    samples,
                    this::report);
            for (BenchSuiteCase each : cases) {
                each.run(bench, guest == null ? List.of() : List.of(guest.toString()));
            }
        } finally {
            deleteDirectory(scratch);
        }
        write(samples, parameters, environment);
        return 0;
    }

    private static Path program() throws IOException {
        String program = System.getProperty(PROGRAM_PROPERTY);
        if (program == null) {
            throw new IOException("the path of the daemon is unknown: run bin/vhost-user-rng bench-suite");
        }
        return Path.of(program);
    }

    private BenchCandidate peer(String command) {
        if (!command.contains(BenchCandidate.SOCKET_PLACEHOLDER)) {
            throw new ParameterException(
                    spec.commandLine(), "--peer: '" + command + "' has no " + BenchCandidate.SOCKET_PLACEHOLDER);
        }
        return BenchCandidate.peer(command);
    }

    private BenchSuiteParameters parameters() {
        BenchSuiteParameters usual = quick ? QUICK : FULL;
        return new BenchSuiteParameters(
                rounds == null ? usual.rounds() : rounds,
                seconds == null ? usual.measureTime() : seconds,
                guests == null ? usual.guests() : guests);
    }

    private Optional<Path> reference(Path scratch, BenchSamples samples) throws IOException, InterruptedException {
        Optional<Path> compiled = ReferenceBackendCompiler.compile(scratch);
        if (compiled.isEmpty()) {
            String note = "no C compiler (cc, gcc, clang): no reference back-end, no ratios";
            report("NOT MEASURED: " + note);
            samples.note(note);
        }
        return compiled;
    }

    private void report(String progress) {
        PrintWriter terminal = spec.commandLine().getOut();
        long elapsed = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedAt);
        terminal.println(String.format("[%4d s] %s", elapsed, progress));
        terminal.flush();
    }

    private void write(BenchSamples samples, BenchSuiteParameters parameters, Map<String, String> environment)
            throws IOException {
        List<BenchPlot> plots = new BenchPlotBuilder(samples).all();
        for (BenchPlot plot : plots) {
            plot.draw(out);
        }
        Files.writeString(out.resolve("report.json"), BenchJsonReport.write(samples, parameters, environment));
        Files.writeString(out.resolve("report.md"), BenchMarkdownReport.write(samples, parameters, environment, plots));
        report("written: " + out.resolve("report.md") + ", report.json and " + plots.size() + " plots");
    }

    /** Terminates all back-ends and guests: they must not outlive this process. */
    private static void terminateChildren() {
        ProcessHandle.current().descendants().forEach(ProcessHandle::destroy);
    }

    private static void deleteDirectory(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    static final class RoundsConverter extends IntegerRangeConverter {
        RoundsConverter() {
            super(1, 100);
        }
    }

    static final class GuestCountConverter extends IntegerRangeConverter {
        GuestCountConverter() {
            super(1, 1000);
        }
    }

    static final class SecondsConverter implements ITypeConverter<Duration> {
        private static final double MIN_SECONDS = 0.01;
        private static final double MILLIS = 1e3;

        @Override
        public Duration convert(String value) {
            try {
                double seconds = Double.parseDouble(value);
                if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS) {
                    return Duration.ofMillis(Math.round(seconds * MILLIS));
                }
            } catch (NumberFormatException notANumber) {
                throw outOfRange(value);
            }
            throw outOfRange(value);
        }

        private static TypeConversionException outOfRange(String value) {
            return new TypeConversionException("'" + value + "' is not in " + MIN_SECONDS + "..60");
        }
    }
}
