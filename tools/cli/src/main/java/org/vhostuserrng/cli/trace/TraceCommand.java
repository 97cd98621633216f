package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.vhostuserrng.cli.process.CommandShutdownHook;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code trace}: shows every message between a VMM and a vhost-user back-end. */
@Command(
        name = "trace",
        description = "Stand between a VMM and a vhost-user back-end and show every message.",
        mixinStandardHelpOptions = true)
public final class TraceCommand implements Callable<Integer> {
    /** Bytes of sockaddr_un's sun_path, without the zero at its end. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    @Spec
    private CommandSpec spec;

    @Option(names = "--listen", paramLabel = "PATH", description = "Listen here for the VMM.")
    private Path listen;

    @Option(names = "--connect", paramLabel = "PATH", description = "Socket the back-end listens on.")
    private Path connect;

    @Option(names = "--record", paramLabel = "FILE", description = "Keep everything in this file as well.")
    private Path record;

    @Option(names = "--replay", paramLabel = "FILE", description = "Show what a file of --record holds, and exit.")
    private Path replay;

    @Option(names = "--summary", description = "Print each session as a Markdown table at its end.")
    private boolean summary;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (replay != null) {
            checkReplayOptions();
            replay();
        } else {
            requireSocketPath("--listen", listen);
            requireSocketPath("--connect", connect);
            trace();
        }
        return 0;
    }

    private void checkReplayOptions() {
        if (listen != null || connect != null || record != null) {
            throw badUsage("--replay=" + replay + ": expected alone or with --summary");
        }
    }

    private void requireSocketPath(String option, Path path) {
        if (path == null) {
            throw badUsage("expected " + option + "=PATH, or --replay=FILE alone");
        }
        int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > MAX_SOCKET_PATH_BYTES) {
            throw badUsage(option + "=" + path + ": expected 1 to " + MAX_SOCKET_PATH_BYTES + " bytes, not " + length);
        }
    }

    private TracePrinter printer() {
        return new TracePrinter(
                spec.commandLine().getOut(), spec.commandLine().getColorScheme().ansi(), summary);
    }

    private void replay() throws IOException {
        TracePrinter transcript = printer();
        try (InputStream file = openRecord()) {
            new TraceFileReader(file).replay(transcript);
        } catch (InvalidTraceFileException damaged) {
            throw new IOException(replay + " " + damaged.getMessage(), damaged);
        } finally {
            transcript.flushOpenSession();
        }
    }

    private InputStream openRecord() {
        try {
            return Files.newInputStream(replay);
        } catch (IOException unreadable) {
            throw badUsage("--replay=" + replay + ": expected a file that can be read: " + unreadable);
        }
    }

    private void trace() throws IOException, InterruptedException {
        List<TraceRecordSink> sinks = new ArrayList<>();
        try (TraceFileWriter writer = record == null ? null : openWriter()) {
            // Recorded first: what was printed can be printed again.
            if (writer != null) {
                sinks.add(writer);
            }
            sinks.add(printer());
            serve(new TraceRecordDispatcher(sinks, errors()));
        }
    }

    private PrintWriter errors() {
        return spec.commandLine().getErr();
    }

    private TraceFileWriter openWriter() {
        try {
            return new TraceFileWriter(record);
        } catch (IOException unwritable) {
            throw badUsage("--record=" + record + ": expected a file that can be written: " + unwritable);
        }
    }

    private void serve(TraceRecordDispatcher log) throws IOException, InterruptedException {
        TraceProxyWarmup.run();
        VhostUserTraceProxy proxy = new VhostUserTraceProxy(listen, connect, log);
        CommandShutdownHook stop = new CommandShutdownHook(proxy::stop);
        try (proxy) {
            proxy.run();
        } finally {
            stop.commandFinished();
        }
    }

    private ParameterException badUsage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
