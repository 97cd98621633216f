package org.vhostuserrng.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.process.TerminalProgressBar;
import org.vhostuserrng.frontend.RequestqDriver;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code bench}: measures a running vhost-user or vfio-user entropy device with one guest that sends requests without a
 * pause.
 */
@Command(
        name = "bench",
        description = "Measure throughput, latency and interrupts of a running vhost-user or vfio-user entropy device.",
        mixinStandardHelpOptions = true)
public final class BenchCommand implements Callable<Integer> {
    private static final int MAX_BUFFER_BYTES = 1 << 20;
    private static final int MAX_DEPTH = 256;
    private static final Duration SLICE = Duration.ofMillis(100);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--socket-path",
            paramLabel = "PATH",
            description = "Socket on which the vhost-user back-end listens.")
    private Path socketPath;

    @Option(
            names = "--vfio-user",
            paramLabel = "PATH",
            description = "Socket on which the vfio-user server listens, instead of --socket-path.")
    private Path vfioUser;

    @Option(
            names = "--buffer",
            defaultValue = "64",
            paramLabel = "BYTES",
            converter = BufferSizeConverter.class,
            description = "Size of a request in bytes, 1..1048576 (default: ${DEFAULT-VALUE}).")
    private int buffer;

    @Option(
            names = "--depth",
            defaultValue = "1",
            paramLabel = "N",
            converter = DepthConverter.class,
            description = "Number of in-flight requests, 1..256 (default: ${DEFAULT-VALUE}).")
    private int depth;

    @Option(
            names = "--seconds",
            defaultValue = "5",
            paramLabel = "N",
            converter = SecondsConverter.class,
            description = "Duration of the measurement in seconds, 1..3600 (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--warmup",
            defaultValue = "1",
            paramLabel = "N",
            converter = WarmupConverter.class,
            description = "Duration of the warm-up in seconds, 0..60 (default: ${DEFAULT-VALUE}).")
    private int warmup;

    @Option(names = "--spin", description = "Busy-poll the used ring instead of sleeping on the call eventfd.")
    private boolean busyPoll;

    @Option(names = "--packed", description = "Use a packed virtqueue; the device must offer VIRTIO_F_RING_PACKED.")
    private boolean packed;

    @Option(
            names = "--timeout",
            defaultValue = "30",
            paramLabel = "N",
            converter = TimeoutConverter.class,
            description = "Fail if the device replies to no message or completes no request for N seconds, 1..3600"
                    + " (default: ${DEFAULT-VALUE}).")
    private int timeout;

    @Override
    public Integer call() throws IOException {
        BenchWorkload workload = new BenchWorkload(buffer, depth, busyPoll, packed);
        try (RequestqDriver driver = start(workload)) {
            BenchResult result = measure(driver, workload);
            driver.stop();
            PrintWriter out = spec.commandLine().getOut();
            result.print(out);
            BenchResult.printText(
                    out,
                    "host getrandom",
                    SourceExpressionParser.parse("getrandom").hostDetails());
            out.flush();
        }
        return 0;
    }

    private RequestqDriver start(BenchWorkload workload) throws IOException {
        if ((socketPath == null) == (vfioUser == null)) {
            throw new ParameterException(spec.commandLine(), "expected either --socket-path=PATH or --vfio-user=PATH");
        }
        Duration replyTimeout = Duration.ofSeconds(timeout);
        return vfioUser == null
                ? workload.start(socketPath, replyTimeout)
                : workload.startVfioUser(vfioUser, replyTimeout);
    }

    private BenchResult measure(RequestqDriver driver, BenchWorkload workload) throws IOException {
        try (BenchRequestLoop loop = new BenchRequestLoop(driver, workload, Duration.ofSeconds(timeout));
                TerminalProgressBar progress = TerminalProgressBar.onTerminal("bench", millis(warmup + seconds))) {
            run(loop, warmup, progress);
            loop.resetMeasurements();
            long start = System.nanoTime();
            run(loop, seconds, progress);
            loop.awaitCompletion();
            return loop.result(System.nanoTime() - start);
        }
    }

    private static long millis(int seconds) {
        return Duration.ofSeconds(seconds).toMillis();
    }

    private static void run(BenchRequestLoop loop, int seconds, TerminalProgressBar progress) throws IOException {
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        long remaining = end - System.nanoTime();
        while (remaining > 0) {
            loop.run(Math.min(remaining, SLICE.toNanos()));
            progress.step(SLICE.toMillis());
            remaining = end - System.nanoTime();
        }
    }

    static final class BufferSizeConverter extends IntegerRangeConverter {
        BufferSizeConverter() {
            super(1, MAX_BUFFER_BYTES);
        }
    }

    static final class DepthConverter extends IntegerRangeConverter {
        DepthConverter() {
            super(1, MAX_DEPTH);
        }
    }

    static final class SecondsConverter extends IntegerRangeConverter {
        SecondsConverter() {
            super(1, 3600);
        }
    }

    static final class WarmupConverter extends IntegerRangeConverter {
        WarmupConverter() {
            super(0, 60);
        }
    }

    static final class TimeoutConverter extends IntegerRangeConverter {
        TimeoutConverter() {
            super(1, 3600);
        }
    }
}
