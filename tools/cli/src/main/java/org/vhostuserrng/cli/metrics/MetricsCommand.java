package org.vhostuserrng.cli.metrics;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.cli.counters.CountersFileOption;
import org.vhostuserrng.cli.counters.CountersFileSource;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.options.IoFailureText;
import org.vhostuserrng.cli.process.BackgroundOutput;
import org.vhostuserrng.cli.process.CommandShutdownHook;
import org.vhostuserrng.cli.process.CommandSignals;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code metrics}: exports the counters of a daemon. */
@Command(
        name = "metrics",
        description = "Export the counters of a daemon from its counters file (--counters-file): once to stdout as"
                + " OpenMetrics text, to a file for node_exporter, or by HTTP.",
        mixinStandardHelpOptions = true)
public final class MetricsCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsCommand.class);
    private static final String INTERVAL = "--interval";

    @Spec
    private CommandSpec spec;

    @Mixin
    private CountersFileOption countersFile;

    @Option(
            names = "--textfile",
            paramLabel = "FILE",
            description = "Write the metrics to a file for node_exporter's textfile collector, which reads *.prom. The"
                    + " file is replaced as a whole.")
    private Path textfile;

    @Option(
            names = INTERVAL,
            paramLabel = "S",
            converter = IntervalConverter.class,
            description = "With --textfile: write the file every S seconds, 1..3600 (default: once).")
    private Integer interval;

    @Option(
            names = "--listen",
            paramLabel = "ADDRESS:PORT",
            converter = AddressConverter.class,
            description = "Serve /metrics, /healthz and a status page on this address, such as 127.0.0.1:9777 or"
                    + " [::1]:9777. Any client that can connect can read the guests' names and counters.")
    private InetSocketAddress listen;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (listen != null && textfile != null) {
            throw new ParameterException(spec.commandLine(), "expected --listen or --textfile, not both");
        }
        if (interval != null && textfile == null) {
            throw new ParameterException(spec.commandLine(), INTERVAL + "=" + interval + ": expected with --textfile");
        }
        CountersFileSource source = countersFile.source();
        if (listen == null && interval == null) {
            export(source);
        } else {
            runUntilStopped(source);
        }
        return 0;
    }

    private void export(CountersFileSource source) throws IOException {
        if (textfile != null) {
            MetricsTextfile.replace(textfile, MetricsFormat.PROMETHEUS.write(source.read()));
        } else {
            byte[] text = MetricsFormat.OPEN_METRICS.write(source.read());
            spec.commandLine().getOut().print(new String(text, StandardCharsets.UTF_8));
        }
    }

    private void runUntilStopped(CountersFileSource source) throws IOException, InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        CommandShutdownHook hook = new CommandShutdownHook();
        CommandSignals.survive();
        hook.setStopAction(stopped::countDown);
        boolean success = false;
        try {
            if (listen != null) {
                serve(source, stopped);
            } else {
                exportPeriodically(source, stopped);
            }
            success = true;
        } finally {
            hook.commandFinished(success);
        }
    }

    private void serve(CountersFileSource source, CountDownLatch stopped) throws IOException, InterruptedException {
        try (MetricsHttpServer server = MetricsHttpServer.start(listen, new MetricsPages(source, System::nanoTime))) {
            String line = "listening on " + server.address().getAddress().getHostAddress() + " port "
                    + server.address().getPort();
            BackgroundOutput output = BackgroundOutput.print(spec.commandLine().getOut(), line, stopped::countDown);
            stopped.await();
            if (output.hasFailed()) {
                throw new IOException("cannot write to stdout");
            }
        } catch (BindException refused) {
            throw new IOException("--listen: " + refused.getMessage(), refused);
        }
    }

    /** Exports the counters again and again, even after a failure, because the daemon may start later. */
    private void exportPeriodically(CountersFileSource source, CountDownLatch stopped) throws InterruptedException {
        String reported = "";
        do {
            String failure = "";
            try {
                export(source);
            } catch (IOException refused) {
                failure = IoFailureText.describe(refused);
            }
            if (!failure.equals(reported) && !failure.isEmpty()) {
                LOG.warn("{}", failure);
            }
            reported = failure;
        } while (!stopped.await(interval, TimeUnit.SECONDS));
    }

    static final class IntervalConverter extends IntegerRangeConverter {
        IntervalConverter() {
            super(1, 3600);
        }
    }

    static final class AddressConverter implements ITypeConverter<InetSocketAddress> {
        private static final int MAX_PORT = 65535;

        @Override
        public InetSocketAddress convert(String value) {
            int colon = value.lastIndexOf(':');
            String host = colon < 0 ? "" : value.substring(0, colon);
            try {
                int port = Integer.parseInt(value.substring(colon + 1));
                boolean plainIpv6 = host.indexOf(':') >= 0 && !host.startsWith("[");
                if (!host.isEmpty() && !plainIpv6 && port >= 0 && port <= MAX_PORT) {
                    return new InetSocketAddress(InetAddress.getByName(host), port);
                }
            } catch (NumberFormatException | UnknownHostException invalid) {
                throw invalid(value);
            }
            throw invalid(value);
        }

        private static TypeConversionException invalid(String value) {
            return new TypeConversionException("'" + value + "' is not ADDRESS:PORT with a port in 0.." + MAX_PORT);
        }
    }
}
