package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.FailoverSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.options.MaxBytesConverter;
import org.vhostuserrng.cli.options.PeriodConverter;
import org.vhostuserrng.cli.process.CommandShutdownHook;
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

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            required = true,
            paramLabel = "ADDRESS",
            converter = ListenAddressConverter.class,
            description = "Listen on tcp:HOST:PORT (port 0: any free port) or unix:PATH. The EGD protocol has neither"
                    + " encryption nor authentication: anyone on the network can read the bytes.")
    private EgdListenAddress listen;

    @Option(
            names = "--source",
            defaultValue = DEFAULT_SOURCE,
            paramLabel = "SOURCE",
            description =
                    "A source in the syntax of the daemon's --source, or command:PROGRAM ARGUMENTS (split at spaces):"
                            + " the output of a program. Repeatable: later sources are fallbacks, tried in order"
                            + " (default: ${DEFAULT-VALUE}).")
    private List<String> sources;

    @Option(
            names = "--max-clients",
            defaultValue = "256",
            paramLabel = "N",
            converter = MaxClientsConverter.class,
            description = "Maximum number of simultaneous connections, 1..4096 (default: ${DEFAULT-VALUE}).")
    private int maxClients;

    @Option(
            names = "--max-bytes",
            paramLabel = "BYTES",
            converter = MaxBytesConverter.class,
            description = "At most BYTES per connection and period (default: no limit).")
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
        sources.forEach(this::checkSource);
        CommandShutdownHook stop = new CommandShutdownHook();
        try (EgdServer server = EgdServer.listen(listen, new EgdServer.ConnectionLimits(maxClients, maxBytes, period));
                CommandSources programs = new CommandSources();
                EntropySource opened = open(programs, server)) {
            stop.setStopAction(server::stop);
            announce(server);
            server.run(opened);
        } finally {
            stop.commandFinished();
        }
        return 0;
    }

    private void checkSource(String source) {
        try {
            if (source.startsWith(CommandSourceProcess.PREFIX)) {
                CommandSourceProcess.parseCommand(source);
            } else {
                SourceExpressionParser.parse(source).probe();
            }
        } catch (IllegalArgumentException | IOException refused) {
            throw badSource(source, refused);
        }
    }

    private EntropySource open(CommandSources programs, EgdServer server) throws IOException {
        List<EntropySourceSpec> inOrder = new ArrayList<>();
        for (String source : sources) {
            inOrder.add(
                    source.startsWith(CommandSourceProcess.PREFIX)
                            ? programs.start(source)
                            : SourceExpressionParser.parse(source));
        }
        EntropySourceSpec firstOf = FailoverSourceSpec.firstOf(inOrder);
        return new SourceRegistry(firstOf, server::onSourceReady, System::nanoTime).open("egd-server");
    }

    /** The running programs of command: sources. */
    private static final class CommandSources implements AutoCloseable {
        private final List<CommandSourceProcess> running = new ArrayList<>();

        EntropySourceSpec start(String source) throws IOException {
            CommandSourceProcess program = CommandSourceProcess.start(CommandSourceProcess.parseCommand(source));
            running.add(program);
            return program.spec();
        }

        @Override
        public void close() throws IOException {
            for (CommandSourceProcess program : running) {
                program.close();
            }
        }
    }

    private ParameterException badSource(String source, Exception refused) {
        return new ParameterException(spec.commandLine(), "--source=" + source + ": " + refused.getMessage());
    }

    private void announce(EgdServer server) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        out.println("listening on " + server.address() + ", source " + String.join(", then ", sources));
        out.flush();
        if (listen.isReachableFromOtherHosts()) {
            PrintWriter err = spec.commandLine().getErr();
            err.println(spec.qualifiedName() + ": " + server.address() + " may be reachable from other hosts;"
                    + " the EGD protocol has neither encryption nor authentication");
            err.flush();
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
