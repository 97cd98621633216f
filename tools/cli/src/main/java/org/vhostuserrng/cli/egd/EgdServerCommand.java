package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.vhostuserrng.backends.EntropySource;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.SourceSpec;
import org.vhostuserrng.cli.options.IntegerInRange;
import org.vhostuserrng.cli.options.MaxBytes;
import org.vhostuserrng.cli.options.Period;
import org.vhostuserrng.cli.process.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code egd-server}: gives a source's bytes to clients of the Entropy Gathering Daemon's protocol. */
@Command(
        name = "egd-server",
        description = "Give a source's bytes to EGD clients, such as QEMU's rng-egd.",
        mixinStandardHelpOptions = true)
public final class EgdServerCommand implements Callable<Integer> {
    private static final String DEFAULT_SOURCE = "file:/dev/urandom";

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            required = true,
            paramLabel = "ADDRESS",
            converter = Address.class,
            description = "tcp:HOST:PORT (port 0: any that is free) or unix:PATH. EGD neither encrypts nor asks who"
                    + " connects: what is sent over a network is known there.")
    private ListenAddress listen;

    @Option(
            names = "--source",
            defaultValue = DEFAULT_SOURCE,
            paramLabel = "SOURCE",
            description = "As the daemon's, or command:PROGRAM ARGUMENTS, split at spaces: what a program prints"
                    + " (default: ${DEFAULT-VALUE}).")
    private String source;

    @Option(
            names = "--max-clients",
            defaultValue = "256",
            paramLabel = "N",
            converter = MaxClients.class,
            description = "Connections at the same time, 1..4096 (default: ${DEFAULT-VALUE}).")
    private int maxClients;

    @Option(
            names = "--max-bytes",
            paramLabel = "BYTES",
            converter = MaxBytes.class,
            description = "Bytes of each connection in a period at most (default: no limit).")
    private long maxBytes = Quota.UNLIMITED;

    @Option(
            names = "--period",
            defaultValue = "65536",
            paramLabel = "MS",
            converter = Period.class,
            description = "Length of a period in milliseconds, 1..65536 (default: ${DEFAULT-VALUE}).")
    private int period;

    @Override
    public Integer call() throws IOException {
        List<String> program = program();
        SourceSpec file = program.isEmpty() ? usable() : null;
        EgdServer server = EgdServer.listen(listen, new EgdServer.Limits(maxClients, maxBytes, period));
        StopSignal stop = new StopSignal(server::stop);
        try (server;
                ProgramOutput output = program.isEmpty() ? null : ProgramOutput.start(program);
                EntropySource opened = (output == null ? file : output.spec()).open(server::sourceReady)) {
            say(server);
            server.run(opened);
        } finally {
            stop.workEnded();
        }
        return 0;
    }

    /** The program that is the source, and its arguments; nothing if the source is none. */
    private List<String> program() {
        if (!source.startsWith(ProgramOutput.PREFIX)) {
            return List.of();
        }
        try {
            return ProgramOutput.command(source.substring(ProgramOutput.PREFIX.length()));
        } catch (IllegalArgumentException refused) {
            throw badSource(refused);
        }
    }

    private SourceSpec usable() {
        try {
            SourceSpec parsed = SourceSpec.parse(source);
            parsed.check();
            return parsed;
        } catch (IllegalArgumentException | IOException refused) {
            throw badSource(refused);
        }
    }

    private ParameterException badSource(Exception refused) {
        return new ParameterException(spec.commandLine(), "--source=" + source + ": " + refused.getMessage());
    }

    private void say(EgdServer server) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        out.println("listening on " + server.address() + ", source " + source);
        out.flush();
        if (listen.isReachableFromOutside()) {
            PrintWriter err = spec.commandLine().getErr();
            err.println(spec.qualifiedName() + ": " + server.address() + " may be reached from other machines:"
                    + " EGD neither encrypts nor asks who connects");
            err.flush();
        }
    }

    static final class Address implements ITypeConverter<ListenAddress> {
        @Override
        public ListenAddress convert(String value) {
            try {
                return ListenAddress.parse(value);
            } catch (IllegalArgumentException bad) {
                throw new TypeConversionException("'" + value + "', " + bad.getMessage());
            }
        }
    }

    static final class MaxClients extends IntegerInRange {
        MaxClients() {
            super(1, 4096);
        }
    }
}
