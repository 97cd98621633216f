package org.vhostuserrng.cli.periodstudy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.process.ChildProcessTerminator;

/** The process of a daemon with a rate limit. {@link #close} terminates the process. */
final class RateLimitedDaemonProcess implements AutoCloseable {
    /** System property that the launcher sets to its own path. */
    private static final String PROGRAM_PROPERTY = "vhost-user-rng.program";

    private static final long START_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long POLL_MILLIS = 20;

    private final Path directory;
    private final Process process;

    private RateLimitedDaemonProcess(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /** Starts a daemon with options, and waits until it listens. */
    static RateLimitedDaemonProcess start(List<String> options) throws IOException, InterruptedException {
        String program = System.getProperty(PROGRAM_PROPERTY);
        if (program == null) {
            throw new IOException("the path of the daemon is unknown: run bin/vhost-user-rng period-study, or pass"
                    + " --socket-path=PATH of a running daemon");
        }
        Path directory = Files.createTempDirectory("vhost-user-rng");
        List<String> command = new ArrayList<>(List.of(program, "--socket-path=" + directory.resolve("socket")));
        command.addAll(options);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        RateLimitedDaemonProcess daemon = new RateLimitedDaemonProcess(directory, process);
        try {
            daemon.awaitSocket();
            return daemon;
        } catch (IOException | InterruptedException failed) {
            daemon.close();
            throw failed;
        }
    }

    Path socket() {
        return directory.resolve("socket");
    }

    private void awaitSocket() throws IOException, InterruptedException {
        long end = System.nanoTime() + START_TIMEOUT_NANOS;
        while (!Files.exists(socket())) {
            if (!process.isAlive() || System.nanoTime() - end > 0) {
                throw new IOException("the daemon does not listen: "
                        + Files.readString(directory.resolve("log")).strip());
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    @Override
    public void close() throws IOException {
        ChildProcessTerminator.terminate(process);
        Files.deleteIfExists(socket());
        Files.deleteIfExists(directory.resolve("log"));
        Files.deleteIfExists(directory);
    }
}
