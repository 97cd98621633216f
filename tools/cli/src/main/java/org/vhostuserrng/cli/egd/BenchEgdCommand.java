package org.vhostuserrng.cli.egd;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.source.TimeoutSourceReader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench-egd}: measures how much faster read-ahead is, with a remote and with a slow EGD server. */
@Command(
        name = "bench-egd",
        description =
                "Measure the read-ahead of the source egd: throughput with a remote and with a slow server, compared"
                        + " with one request per round trip.",
        mixinStandardHelpOptions = true)
public final class BenchEgdCommand implements Callable<Integer> {
    /** The request size of a Linux guest, which QEMU's rng-egd forwards unchanged. */
    private static final int GUEST_REQUEST = 64;

    private static final int BLOCK = 4096;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--round-trip",
            defaultValue = "1000",
            paramLabel = "MICROSECONDS",
            converter = RoundTripConverter.class,
            description = "Round-trip time to the server in microseconds, 0..1000000 (default: ${DEFAULT-VALUE}).")
    private int roundTrip;

    @Option(
            names = "--rate",
            defaultValue = "10000000",
            paramLabel = "BYTES",
            converter = RateConverter.class,
            description = "Rate of the remote server's generator in bytes/s, 1000..1000000000"
                    + " (default: ${DEFAULT-VALUE}).")
    private int rate;

    @Option(
            names = "--slow-rate",
            defaultValue = "500000",
            paramLabel = "BYTES",
            converter = RateConverter.class,
            description = "Rate of the slow server's generator in bytes/s, 1000..1000000000"
                    + " (default: ${DEFAULT-VALUE}).")
    private int slowRate;

    @Option(
            names = "--seconds",
            defaultValue = "3",
            paramLabel = "N",
            converter = SecondsConverter.class,
            description = "Duration of each measurement in seconds, 1..600 (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Override
    public Integer call() throws IOException, InterruptedException {
        double single = singleRequestRate();
        double remote = readAheadRate(rate);
        double slow = readAheadRate(slowRate);
        PrintWriter out = spec.commandLine().getOut();
        print(out, "one request/round trip, bytes/s", single);
        print(out, "read-ahead, bytes/s", remote);
        print(out, "read-ahead / one request", remote / single);
        print(out, "slow server, bytes/s", slow);
        print(out, "slow server, % of its rate", 100 * slow / slowRate);
        out.flush();
        return 0;
    }

    private static void print(PrintWriter out, String name, double value) {
        out.println(String.format(Locale.ROOT, "%-36s %14.1f", name, value));
    }

    private double singleRequestRate() throws IOException {
        try (RemoteEgdServerSimulator server = server(rate);
                Socket socket = connect(server.address())) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] reply = new byte[GUEST_REQUEST];
            long start = System.nanoTime();
            long bytes = 0;
            while (System.nanoTime() - start < measureTime().toNanos()) {
                out.write(new byte[] {EgdProtocol.READ_BLOCKING, GUEST_REQUEST});
                in.readFully(reply);
                bytes += reply.length;
            }
            return perSecond(bytes, System.nanoTime() - start);
        }
    }

    private static Socket connect(String address) throws IOException {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        return new Socket(InetAddress.getLoopbackAddress(), port);
    }

    /**
     * Returns the throughput with read-ahead, measured after one second of warm-up in which the TCP and read-ahead
     * windows grow.
     */
    private double readAheadRate(int bytesPerSecond) throws IOException, InterruptedException {
        try (RemoteEgdServerSimulator server = server(bytesPerSecond);
                Arena arena = Arena.ofConfined();
                TimeoutSourceReader source =
                        new TimeoutSourceReader(SourceExpressionParser.parse("egd:" + server.address()), "bench-egd")) {
            MemorySegment target = arena.allocate(BLOCK);
            drain(source, target, Duration.ofSeconds(1));
            long start = System.nanoTime();
            long bytes = drain(source, target, measureTime());
            return perSecond(bytes, System.nanoTime() - start);
        }
    }

    private static long drain(TimeoutSourceReader source, MemorySegment target, Duration time)
            throws InterruptedException {
        long start = System.nanoTime();
        long bytes = 0;
        while (System.nanoTime() - start < time.toNanos()) {
            bytes += Math.max(0, source.read(target, BLOCK));
        }
        return bytes;
    }

    private RemoteEgdServerSimulator server(int bytesPerSecond) throws IOException {
        return new RemoteEgdServerSimulator(TimeUnit.MICROSECONDS.toNanos(roundTrip), bytesPerSecond);
    }

    private Duration measureTime() {
        return Duration.ofSeconds(seconds);
    }

    private static double perSecond(long bytes, long nanos) {
        return bytes * (double) TimeUnit.SECONDS.toNanos(1) / nanos;
    }

    static final class RoundTripConverter extends IntegerRangeConverter {
        RoundTripConverter() {
            super(0, 1_000_000);
        }
    }

    static final class RateConverter extends IntegerRangeConverter {
        RateConverter() {
            super(1000, 1_000_000_000);
        }
    }

    static final class SecondsConverter extends IntegerRangeConverter {
        SecondsConverter() {
            super(1, 600);
        }
    }
}
