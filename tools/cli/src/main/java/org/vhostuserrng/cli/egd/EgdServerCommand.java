package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.FailoverSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.options.MaxBytesConverter;
import org.vhostuserrng.cli.options.PeriodConverter;
import org.vhostuserrng.cli.process.BackgroundOutput;
import org.vhostuserrng.cli.process.CommandShutdownHook;
import org.vhostuserrng.cli.process.CommandSignals;
import org.vhostuserrng.libc.NativeText;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code egd-server}: serves the bytes of a source to clients of the EGD protocol. */
@Command(
        name = "egd-server",
        description = "Serve the bytes of a source to EGD clients, for example QEMU's rng-egd.",
        mixinStandardHelpOptions = true)
public final class EgdServerCommand implements Callable<Integer> {
    private static final String DEFAULT_SOURCE = "getrandom";
    private static final long CLOSE_TIMEOUT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            paramLabel = "ADDRESS",
            converter = ListenAddressConverter.class,
            description = "Listen on tcp:HOST:PORT (port 0: any free port) or unix:PATH. The EGD protocol has neither"
                    + " encryption nor authentication: anyone on the network can read the bytes.")
    private EgdListenAddress listen;

    @Option(
            names = "--connect",
            paramLabel = "ADDRESS",
            converter = ClientAddressConverter.class,
            description = "Connect to a client that listens on tcp:HOST:PORT or unix:PATH, such as a chardev of QEMU"
                    + " with server=on; reconnects whenever the connection is lost. Repeatable.")
    private List<EgdListenAddress> clients = List.of();

    @Option(
            names = "--source",
            defaultValue = DEFAULT_SOURCE,
            paramLabel = "SOURCE",
            description =
                    "A source in the syntax of the daemon's --source. Repeatable: later sources are fallbacks, tried in"
                            + " order (default: ${DEFAULT-VALUE}).")
    private List<String> sources;

    @Option(
            names = "--max-clients",
            defaultValue = "256",
            paramLabel = "N",
            converter = MaxClientsConverter.class,
            description = "Maximum number of simultaneous connections to --listen, 1..4096 (default:"
                    + " ${DEFAULT-VALUE}). Beyond it, a new client takes the place of one that has been silent for 15"
                    + " seconds, or is rejected.")
    private int maxClients;

    @Option(
            names = "--max-bytes",
            paramLabel = "BYTES",
            converter = MaxBytesConverter.class,
            description =
                    "At most BYTES per period for all connections of an IPv4 address or IPv6 /64 network together, and"
                            + " for all UNIX sockets together; reconnecting does not refill it (default: no limit).")
    private long maxBytes = GuestRateLimiter.UNLIMITED;

    @Option(
            names = "--period",
            defaultValue = "65536",
            paramLabel = "MS",
            converter = PeriodConverter.class,
            description = "Length of the period in milliseconds, 1..65536 (default: ${DEFAULT-VALUE}).")
    private int period;

    @Override
    public Integer call() throws IOException {
        if (listen == null && clients.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "expected --listen=ADDRESS or --connect=ADDRESS, or both");
        }
        sources.forEach(this::checkSource);
        CommandShutdownHook stop = new CommandShutdownHook();
        CommandSignals.survive();
        boolean succeeded = false;
        try (EgdServer server = openServer()) {
            stop.setStopAction(server::stop);
            serve(server);
            succeeded = true;
        } finally {
            stop.commandFinished(succeeded);
        }
        return 0;
    }

    private void serve(EgdServer server) throws IOException {
        SourceRegistry registry = new SourceRegistry(source(), server::onSourceReady, System::nanoTime);
        try (EntropySource opened = registry.open("egd-server")) {
            BackgroundOutput output = announce(server);
            server.run(opened);
            if (output.hasFailed()) {
                throw new IOException("cannot write to stdout");
            }
        }
        registry.awaitClosed(CLOSE_TIMEOUT_NANOS);
    }

    private EgdServer openServer() throws IOException {
        EgdServer.ClientLimits limits = new EgdServer.ClientLimits(maxClients, maxBytes, period);
        EgdServer server = listen == null ? EgdServer.open(limits) : EgdServer.listen(listen, limits);
        clients.forEach(server::dial);
        return server;
    }

    private void checkSource(String source) {
        try {
            SourceExpressionParser.parse(source).probe();
        } catch (IllegalArgumentException | IOException refused) {
            throw badSource(source, refused);
        }
    }

    private EntropySourceSpec source() {
        List<EntropySourceSpec> inOrder = new ArrayList<>();
        for (String source : sources) {
            inOrder.add(SourceExpressionParser.parse(source));
        }
        return FailoverSourceSpec.firstOf(inOrder);
    }

    private ParameterException badSource(String source, Exception refused) {
        return new ParameterException(spec.commandLine(), "--source=" + source + ": " + refused.getMessage());
    }

    private BackgroundOutput announce(EgdServer server) {
        String listening = listen == null ? "" : "listening on " + server.address() + ", ";
        String connecting = clients.isEmpty() ? "" : "connecting to " + joined(clients) + ", ";
        if (listen != null && listen.isReachableFromOtherHosts()) {
            PrintWriter err = spec.commandLine().getErr();
            err.println(spec.qualifiedName() + ": " + server.address() + " may be reachable from other hosts;"
                    + " the EGD protocol has neither encryption nor authentication");
            err.flush();
        }
        String line = listening + connecting + "source " + String.join(", then ", sources);
        return BackgroundOutput.print(spec.commandLine().getOut(), NativeText.printable(line), server::stop);
    }

    private static String joined(List<EgdListenAddress> addresses) {
        return String.join(
                ", ", addresses.stream().map(EgdListenAddress::toString).toList());
    }

    static final class ClientAddressConverter implements ITypeConverter<EgdListenAddress> {
        @Override
        public EgdListenAddress convert(String value) {
            try {
                return EgdListenAddress.parseClient(value);
            } catch (IllegalArgumentException bad) {
                throw new TypeConversionException("'" + value + "', " + bad.getMessage());
            }
        }
    }

    static final class ListenAddressConverter implements ITypeConverter<EgdListenAddress> {
        @Override
        public EgdListenAddress convert(String value) {
            try {
                return EgdListenAddress.parse(value);
            } catch (IllegalArgumentException bad) {
                throw new TypeConversionException("'" + value + "', " + bad.getMessage());
            }
        }
    }

    static final class MaxClientsConverter extends IntegerRangeConverter {
        MaxClientsConverter() {
            super(1, 4096);
        }
    }
}
