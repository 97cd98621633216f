package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.options.LongRangeConverter;
import org.vhostuserrng.cli.process.TerminalProgressBar;
import org.vhostuserrng.cli.source.TimeoutSourceReader;
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
        description = "Test the health of a source, measure its throughput and estimate its min-entropy.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:The source is healthy.",
            "1:The source failed a test or delivered too few bytes.",
            "2:Invalid command line."
        })
public final class CheckSourceCommand implements Callable<Integer> {
    private static final int UNHEALTHY = 1;
    private static final int BLOCK = 4096;
    private static final int MAX_READ_BYTES = 1 << 24;
    /** SP 800-90B §4.3: minimum number of samples of a start-up test. */
    private static final int MIN_BYTES = 1024;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SOURCE", description = "A source, in the syntax of the daemon's --source.")
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
            converter = BitsConverter.class,
            description =
                    "Min-entropy per byte that the health tests assume, in bits, 0.02..8 (default: ${DEFAULT-VALUE}).")
    private double minEntropy;

    @Option(names = "--json", description = "Print the report as JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        SourceCheckReport report = check(untestedSource());
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(report.json());
        } else {
            report.print(out);
        }
        out.flush();
        return report.isHealthy() ? 0 : UNHEALTHY;
    }

    /** The source without its own health tests, so that the tests of this command see its raw output. */
    private EntropySourceSpec untestedSource() {
        try {
            EntropySourceSpec parsed = SourceExpressionParser.parseUntested(source);
            parsed.probe();
            return parsed;
        } catch (IllegalArgumentException | IOException invalid) {
            throw new ParameterException(spec.commandLine(), "SOURCE " + source + ": " + invalid.getMessage());
        }
    }

    private SourceCheckReport check(EntropySourceSpec from) throws InterruptedException {
        try (Arena arena = Arena.ofConfined();
                TimeoutSourceReader reader = new TimeoutSourceReader(from, "check-source");
                TerminalProgressBar progress = TerminalProgressBar.onTerminal("check-source", bytes)) {
            return check(reader, arena.allocate(Math.min(bytes, MAX_READ_BYTES)), progress);
        }
    }

    /**
     * Alternates between reading and testing, so that the throughput does not include the time of the tests. The first
     * block is a warm-up, which is not included in the measured time.
     */
    private SourceCheckReport check(TimeoutSourceReader reader, MemorySegment buffer, TerminalProgressBar progress)
            throws InterruptedException {
        ByteStatistics statistics = new ByteStatistics();
        NoiseHealthTester health = new NoiseHealthTester(minEntropy);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        long nanos = 0;
        long timed = 0;
        int length = BLOCK;
        String fault = null;
        int read = length;
        while (fault == null && read == length && statistics.bytes() < bytes) {
            length = (int) Math.min(statistics.bytes() == 0 ? BLOCK : MAX_READ_BYTES, bytes - statistics.bytes());
            long start = System.nanoTime();
            read = read(reader, buffer, length, end, progress);
            if (statistics.bytes() > 0 || read < length) {
                nanos += System.nanoTime() - start;
                timed += read;
            }
            fault = health.check(buffer, 0, read);
            statistics.add(buffer, read);
            buffer.fill((byte) 0);
        }
        if (fault == null) {
            fault = shortfall(statistics.bytes(), System.nanoTime() - end >= 0);
        }
        double bytesPerSecond = timed == 0 ? 0 : timed * (double) TimeUnit.SECONDS.toNanos(1) / nanos;
        return new SourceCheckReport(source, fault, statistics, bytesPerSecond);
    }

    /** Reads up to {@code wanted} bytes, until the source fails or the time is up. Returns the number of bytes. */
    private static int read(
            TimeoutSourceReader reader, MemorySegment buffer, int wanted, long end, TerminalProgressBar progress)
            throws InterruptedException {
        int read = 0;
        int more = EntropySource.WOULD_BLOCK;
        while (read < wanted && more >= EntropySource.WOULD_BLOCK && System.nanoTime() - end < 0) {
            more = reader.read(buffer.asSlice(read), Math.min(BLOCK, wanted - read));
            read += Math.max(0, more);
            progress.step(Math.max(0, more));
        }
        return read;
    }

    /** The reason why {@code received} bytes are too few; empty if they are enough. */
    private String shortfall(long received, boolean timeIsOver) {
        if (received < bytes && !timeIsOver && !isWholeFile(received)) {
            return "the source has failed";
        }
        return received < MIN_BYTES ? "only " + received + " bytes received, expected at least " + MIN_BYTES : "";
    }

    /** Whether the source is a regular file that has been read to its end, which is not a failure. */
    private boolean isWholeFile(long length) {
        Path path = Path.of(source.replaceFirst("^file:", "").replaceFirst(",(?!,).*", ""));
        try {
            return Files.isRegularFile(path) && Files.size(path) == length;
        } catch (IOException gone) {
            return false;
        }
    }

    static final class BytesConverter extends LongRangeConverter {
        BytesConverter() {
            super(MIN_BYTES, 1 << 30);
        }
    }

    static final class SecondsConverter extends IntegerRangeConverter {
        SecondsConverter() {
            super(1, 3600);
        }
    }

    static final class BitsConverter implements ITypeConverter<Double> {
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
