package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.vhostuserrng.cli.options.IoFailureText;
import org.vhostuserrng.cli.process.CommandShutdownHook;
import org.vhostuserrng.cli.process.CommandSignals;
import org.vhostuserrng.libc.NativePath;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code trace}: a proxy that prints every message between a VMM and a vhost-user back-end or vfio-user server. */
@Command(
        name = "trace",
        description = "Proxy between a VMM and a vhost-user back-end or vfio-user server that prints every message.",
        mixinStandardHelpOptions = true)
public final class TraceCommand implements Callable<Integer> {
    /** Size of sockaddr_un.sun_path without the terminating zero. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    @Spec
    private CommandSpec spec;

    @Option(names = "--listen", paramLabel = "PATH", description = "Socket on which to listen for the VMM.")
    private Path listen;

    @Option(names = "--connect", paramLabel = "PATH", description = "Socket on which the back-end or server listens.")
    private Path connect;

    @Option(names = "--record", paramLabel = "FILE", description = "Also write the trace to a file.")
    private Path record;

    @Option(names = "--replay", paramLabel = "FILE", description = "Print a file written with --record and exit.")
    private Path replay;

    @Option(
            names = "--protocol",
            paramLabel = "PROTOCOL",
            defaultValue = "auto",
            converter = ProtocolConverter.class,
            description = "Decode vhost-user or vfio-user messages; auto: by the first message of each session"
                    + " (default: ${DEFAULT-VALUE}).")
    private TraceProtocol protocol;

    @Option(names = "--summary", description = "Print a Markdown table of each session when it ends.")
    private boolean summary;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (replay != null) {
            checkReplayOptions();
            replay();
        } else {
            requireSocketPath("--listen", listen);
            requireSocketPath("--connect", connect);
            return trace() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        }
        return CommandLine.ExitCode.OK;
    }

    private void checkReplayOptions() {
        if (listen != null || connect != null || record != null) {
            throw badUsage(
                    "--replay=" + replay + ": cannot be combined with other options than --protocol and --summary");
        }
    }

    private void requireSocketPath(String option, Path path) {
        if (path == null) {
            throw badUsage("expected " + option + "=PATH, or only --replay=FILE");
        }
        int length = NativePath.bytes(path).length;
        if (length == 0 || length > MAX_SOCKET_PATH_BYTES) {
            throw badUsage(option + "=" + path + ": path has " + length + " bytes, expected 1 to "
                    + MAX_SOCKET_PATH_BYTES + " bytes");
        }
    }

    private Optional<TraceProtocol> protocol() {
        return Optional.ofNullable(protocol);
    }

    private TracePrinter printer() {
        return new TracePrinter(
                spec.commandLine().getOut(), spec.commandLine().getColorScheme().ansi(), summary, protocol());
    }

    private void replay() throws IOException {
        TracePrinter printer = printer();
        try (InputStream file = openRecord()) {
            new TraceFileReader(file).replay(printer);
        } catch (InvalidTraceFileException invalid) {
            throw new IOException(replay + " " + invalid.getMessage(), invalid);
        } finally {
            printer.flushOpenSession();
        }
    }

    private InputStream openRecord() {
        try {
            return Files.newInputStream(replay);
        } catch (IOException unreadable) {
            throw badUsage("--replay=" + replay + ": expected a readable file: " + IoFailureText.reason(unreadable));
        }
    }

    /** Traces until a signal arrives. Returns whether all messages were printed and recorded. */
    private boolean trace() throws IOException, InterruptedException {
        List<TraceRecordSink> sinks = new ArrayList<>();
        try (TraceFileWriter writer = record == null ? null : openWriter()) {
            // The file writer is the first sink, so that every printed message is also in the file.
            if (writer != null) {
                sinks.add(writer);
            }
            sinks.add(printer());
            return serve(new TraceRecordDispatcher(sinks, errors()));
        }
    }

    private PrintWriter errors() {
        return spec.commandLine().getErr();
    }

    private TraceFileWriter openWriter() {
        try {
            return new TraceFileWriter(record);
        } catch (IOException unwritable) {
            throw badUsage("--record=" + record + ": expected a writable file: " + IoFailureText.reason(unwritable));
        }
    }

    private boolean serve(TraceRecordDispatcher log) throws IOException, InterruptedException {
        TraceProxyWarmup.run();
        CommandShutdownHook stop = new CommandShutdownHook();
        CommandSignals.surviveAllButHangup();
        boolean succeeded = false;
        try (TraceProxy proxy = new TraceProxy(listen, connect, protocol(), log)) {
            stop.setStopAction(proxy::stop);
            proxy.run();
            succeeded = !log.hasFailed();
        } finally {
            stop.commandFinished(succeeded);
        }
        return succeeded;
    }

    private ParameterException badUsage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** Converts {@code auto} to null. */
    static final class ProtocolConverter implements ITypeConverter<TraceProtocol> {
        private static final String AUTO = "auto";

        @Override
        public TraceProtocol convert(String name) {
            if (AUTO.equals(name)) {
                return null;
            }
            for (TraceProtocol each : TraceProtocol.values()) {
                if (each.displayName().equals(name)) {
                    return each;
                }
            }
            throw new TypeConversionException("expected auto, vhost-user or vfio-user");
        }
    }
}
