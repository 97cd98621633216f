package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.cli.checksource.estimator.EstimatorResult;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;
import org.vhostuserrng.cli.checksource.validation.IidTests;
import org.vhostuserrng.cli.checksource.validation.LinearComplexity;
import org.vhostuserrng.cli.checksource.validation.RestartSamples;
import org.vhostuserrng.cli.checksource.validation.RestartTests;
import org.vhostuserrng.cli.checksource.validation.TestResult;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.options.LongRangeConverter;
import org.vhostuserrng.cli.process.CommandSignals;
import org.vhostuserrng.cli.process.InterruptingShutdownHook;
import org.vhostuserrng.cli.process.TerminalProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code check-source}: runs health tests on a source and estimates its min-entropy. */
@Command(
        name = "check-source",
        description =
                "Test the health of a source, measure its throughput and estimate its min-entropy with all estimators"
                        + " of NIST SP 800-90B.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:No test failed, and the smallest estimate is not below --min-entropy.",
            "1:A test failed, an estimate is below --min-entropy, or there were too few bytes.",
            "2:Invalid command line."
        })
public final class CheckSourceCommand implements Callable<Integer> {
    private static final int UNHEALTHY = 1;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "SOURCE",
            description =
                    "A source in the syntax of the daemon's --source, the path of a file, or - for standard input."
                            + " A sample is a byte.")
    private String source;

    @Option(
            names = "--bytes",
            defaultValue = "1048576",
            paramLabel = "N",
            converter = BytesConverter.class,
            description = "Number of bytes to test, 1024..1073741824 (default: ${DEFAULT-VALUE}).")
    private long bytes;

    @Option(
            names = "--seconds",
            defaultValue = "60",
            paramLabel = "N",
            converter = SecondsConverter.class,
            description =
                    "Maximum duration in seconds, 1..3600 (default: ${DEFAULT-VALUE}). The report then covers the bytes"
                            + " received so far.")
    private int seconds;

    @Option(
            names = "--min-entropy",
            defaultValue = "1",
            paramLabel = "BITS",
            converter = EntropyConverter.class,
            description =
                    "Claimed min-entropy per sample in bits, 0.02..8 (default: ${DEFAULT-VALUE}). The health tests"
                            + " use it, and the status is 1 if the smallest estimate is below it. A million ideal"
                            + " bytes are estimated at 7.0 to 7.4.")
    private double minEntropy;

    @Option(
            names = "--bits",
            paramLabel = "N",
            converter = WidthConverter.class,
            description =
                    "Width of a sample in bits, 1..8 (default: up to the highest bit that is used). The sample is in"
                            + " the low bits of its byte.")
    private Integer width;

    @Option(names = "--output", paramLabel = "FILE", description = "Keep the raw samples in a new file.")
    private Path output;

    @Option(names = "--overwrite", description = "Let --output replace a file that exists.")
    private boolean overwrite;

    @Option(
            names = "--iid",
            description = "Also test whether the samples are independent and identically distributed. A test that fails"
                    + " takes 10000 permutations, some minutes for a million samples.")
    private boolean iid;

    @Option(
            names = "--restarts",
            description = "Also open the source 1000 times, for 1000 samples each, and run the restart tests.")
    private boolean restarts;

    @Option(
            names = "--restart-file",
            paramLabel = "FILE",
            description = "Also run the restart tests on a file with 1000 samples of each of 1000 restarts.")
    private Path restartFile;

    @Option(names = "--json", description = "Print the report as JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        InterruptingShutdownHook hook = InterruptingShutdownHook.register();
        CommandSignals.surviveAllButHangup();
        try {
            return check();
        } finally {
            hook.commandFinished();
        }
    }

    private int check() throws IOException, InterruptedException {
        CheckedSource checked = parseSource();
        CollectedSamples samples = collect(checked);
        SourceCheckReport report = assess(checked, samples);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(SourceCheckJson.of(report));
        } else {
            SourceCheckText.print(report, out);
        }
        out.flush();
        return report.isHealthy() ? 0 : UNHEALTHY;
    }

    private CheckedSource parseSource() {
        try {
            CheckedSource checked = CheckedSource.parse(source);
            if (restarts && !checked.canRestart()) {
                throw new IllegalArgumentException("it cannot be restarted; use --restart-file");
            }
            return checked;
        } catch (IllegalArgumentException | IOException invalid) {
            throw new ParameterException(spec.commandLine(), "SOURCE " + source + ": " + invalid.getMessage());
        }
    }

    private CollectedSamples collect(CheckedSource from) throws IOException, InterruptedException {
        try (RawSampleFile file = openOutput(from);
                SampleReader reader = from.open();
                TerminalProgressBar progress = TerminalProgressBar.onTerminal("reading", bytes)) {
            return new SampleCollector(reader, progress, file, new NoiseHealthTester(minEntropy), bytes)
                    .collect(bytes, seconds);
        }
    }

    /** Creates the file of {@code --output}; returns null without that option. */
    private RawSampleFile openOutput(CheckedSource from) throws IOException {
        if (output == null) {
            return null;
        }
        try {
            return RawSampleFile.create(output, overwrite, from.file());
        } catch (IllegalArgumentException refused) {
            throw new ParameterException(spec.commandLine(), "--output=" + output + ": " + refused.getMessage());
        }
    }

    private SourceCheckReport assess(CheckedSource checked, CollectedSamples samples)
            throws IOException, InterruptedException {
        int bits = width == null ? samples.width() : width;
        if (samples.width() > bits) {
            throw new ParameterException(
                    spec.commandLine(), "--bits=" + bits + ": there are samples of " + samples.width() + " bits");
        }
        MinEntropyAssessment assessment = null;
        List<TestResult> tests = new ArrayList<>();
        if (samples.first().length >= SampleCollector.MIN_BYTES) {
            double complexity = LinearComplexity.minEntropy(samples.first(), bits);
            assessment = estimate("estimating", samples.first(), bits)
                    .with(new EstimatorResult("linear complexity", "", true, complexity));
            tests.add(LinearComplexity.test(samples.first(), bits));
            if (iid) {
                tests.addAll(testIid(samples.first()));
            }
            if (restarts || restartFile != null) {
                tests.addAll(testRestarts(checked, bits, assessment.perSample()));
            }
        }
        return new SourceCheckReport(checked.toString(), samples, bits, minEntropy, assessment, tests);
    }

    private static MinEntropyAssessment estimate(String task, byte[] samples, int bits) throws InterruptedException {
        int tasks = MinEntropyAssessment.taskCount(samples);
        try (TerminalProgressBar progress = TerminalProgressBar.onTerminal(task, tasks)) {
            return MinEntropyAssessment.of(samples, bits, () -> progress.step(1));
        }
    }

    private static List<TestResult> testIid(byte[] samples) throws InterruptedException {
        try (TerminalProgressBar progress = TerminalProgressBar.onTerminal("permuting", IidTests.STEPS)) {
            return IidTests.of(samples, new SplittableRandom(), () -> progress.step(1));
        }
    }

    private List<TestResult> testRestarts(CheckedSource checked, int bits, double initial)
            throws IOException, InterruptedException {
        RestartSamples matrix = restartSamples(checked);
        int used = Math.max(bits, CollectedSamples.width(matrix.rows()));
        MinEntropyAssessment rows = estimate("restarts, rows", matrix.rows(), used);
        MinEntropyAssessment columns = estimate("restarts, columns", matrix.columns(), used);
        return RestartTests.of(matrix, initial, minEntropy, rows, columns);
    }

    private RestartSamples restartSamples(CheckedSource checked) throws IOException, InterruptedException {
        if (restartFile != null) {
            try {
                return RestartSamples.read(restartFile);
            } catch (IllegalArgumentException invalid) {
                throw new ParameterException(
                        spec.commandLine(), "--restart-file=" + restartFile + ": " + invalid.getMessage());
            }
        }
        try (TerminalProgressBar progress = TerminalProgressBar.onTerminal("restarting", RestartSamples.RESTARTS)) {
            return RestartCollector.collect(checked, seconds, progress);
        }
    }

    static final class BytesConverter extends LongRangeConverter {
        BytesConverter() {
            super(SampleCollector.MIN_BYTES, 1 << 30);
        }
    }

    static final class SecondsConverter extends IntegerRangeConverter {
        SecondsConverter() {
            super(1, 3600);
        }
    }

    static final class WidthConverter extends IntegerRangeConverter {
        WidthConverter() {
            super(1, Byte.SIZE);
        }
    }

    static final class EntropyConverter implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            double bits = value.matches("\\d+(\\.\\d+)?") ? Double.parseDouble(value) : 0;
            if (bits < 0.02 || bits > Byte.SIZE) {
                throw new TypeConversionException("'" + value + "' is not in 0.02..8");
            }
            return bits;
        }
    }
}
