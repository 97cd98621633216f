package org.vhostuserrng.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.process.TerminalProgressBar;
import org.vhostuserrng.frontend.EntropyDriver;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench}: a guest that asks a running vhost-user entropy device for as much as it gives. */
@Command(
        name = "bench",
        description = "Measure a running vhost-user entropy device: throughput, latency, interrupts.",
        mixinStandardHelpOptions = true)
public final class BenchCommand implements Callable<Integer> {
    private static final int MAX_BUFFER_BYTES = 1 << 20;
    private static final int MAX_DEPTH = 256;
    private static final Duration SLICE = Duration.ofMillis(100);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--socket-path",
            required = true,
            paramLabel = "PATH",
            description = "Socket a vhost-user entropy device listens on.")
    private Path socketPath;

    @Option(
            names = "--buffer",
            defaultValue = "64",
            paramLabel = "BYTES",
            converter = BufferSizeConverter.class,
            description = "Bytes of one request, 1..1048576 (default: ${DEFAULT-VALUE}).")
    private int buffer;

    @Option(
            names = "--depth",
            defaultValue = "1",
            paramLabel = "N",
            converter = DepthConverter.class,
            description = "Requests in flight, 1..256 (default: ${DEFAULT-VALUE}).")
    private int depth;

    @Option(
            names = "--seconds",
            defaultValue = "5",
            paramLabel = "N",
            converter = SecondsConverter.class,
            description = "Time measured, 1..3600 (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--warmup",
            defaultValue = "1",
            paramLabel = "N",
            converter = WarmupConverter.class,
            description = "Seconds before that are not counted, 0..60 (default: ${DEFAULT-VALUE}).")
    private int warmup;

    @Option(names = "--spin", description = "Poll the used ring instead of sleeping on the call eventfd.")
    private boolean busyPoll;

    @Option(names = "--packed", description = "Use a packed virtqueue; the device must offer VIRTIO_F_RING_PACKED.")
    private boolean packed;

    @Override
    public Integer call() throws IOException {
        BenchWorkload shape = new BenchWorkload(buffer, depth, busyPoll, packed);
        try (EntropyDriver driver = shape.start(socketPath)) {
            BenchResult result = measure(driver, shape);
            driver.session().stop();
            PrintWriter out = spec.commandLine().getOut();
            result.print(out);
            out.flush();
        }
        return 0;
    }

    private BenchResult measure(EntropyDriver driver, BenchWorkload shape) throws IOException {
        try (BenchRequestLoop loop = new BenchRequestLoop(driver, shape);
                TerminalProgressBar progress = TerminalProgressBar.onTerminal("bench", millis(warmup + seconds))) {
            run(loop, warmup, progress);
            loop.resetMeasurements();
            long start = System.nanoTime();
            run(loop, seconds, progress);
            return loop.result(System.nanoTime() - start);
        }
    }

    private static long millis(int seconds) {
        return Duration.ofSeconds(seconds).toMillis();
    }

    private static void run(BenchRequestLoop loop, int seconds, TerminalProgressBar progress) throws IOException {
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        long left = end - System.nanoTime();
        while (left > 0) {
            loop.run(Math.min(left, SLICE.toNanos()));
            progress.step(SLICE.toMillis());
            left = end - System.nanoTime();
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
}
