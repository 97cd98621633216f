package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vhostuserrng.cli.process.ChildProcessTerminator;

/** The running process of a candidate. {@link #close} terminates the process. */
final class BenchBackendProcess implements AutoCloseable {
    private static final long START_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
    private static final Pattern LONGEST_ITERATION = Pattern.compile("longest event-loop iteration (\\d+) µs");

    private final BenchCandidate candidate;
    private final Path directory;
    private final Process process;
    private final List<Path> sockets;
    private final long startedAt;
    private long listenNanos;

    private BenchBackendProcess(BenchCandidate candidate, Path directory, Process process, int guests, long startedAt) {
        this.candidate = candidate;
        this.directory = directory;
        this.process = process;
        this.sockets = candidate.sockets(socket(directory), guests);
        this.startedAt = startedAt;
    }

    /** Starts a back-end for {@code guests} guests and waits until it accepts connections on its last socket. */
    static BenchBackendProcess start(BenchCandidate candidate, int guests, CpuPlacement placement)
            throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("bench");
        List<String> command = new ArrayList<>(placement.tasksetPrefix());
        command.addAll(candidate.command(socket(directory), guests));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log(directory).toFile());
        long startedAt = System.nanoTime();
        Process process = start(builder, directory);
        BenchBackendProcess backend = new BenchBackendProcess(candidate, directory, process, guests, startedAt);
        try {
            backend.awaitListening();
            placement.pinBackend(process.pid());
            return backend;
        } catch (IOException | InterruptedException failed) {
            backend.close();
            throw failed;
        }
    }

    private static Process start(ProcessBuilder builder, Path directory) throws IOException {
        try {
            return builder.start();
        } catch (IOException failed) {
            delete(directory);
            throw failed;
        }
    }

    private static Path socket(Path directory) {
        return directory.resolve("socket");
    }

    private static Path log(Path directory) {
        return directory.resolve("log");
    }

    private void awaitListening() throws IOException {
        while (!accepts(sockets.getLast())) {
            if (!process.isAlive() || System.nanoTime() - startedAt > START_TIMEOUT_NANOS) {
                throw new IOException(candidate.name() + " does not listen: "
                        + Files.readString(log(directory)).strip());
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        listenNanos = System.nanoTime() - startedAt;
    }

    private static boolean accepts(Path socket) {
        if (!Files.exists(socket)) {
            return false;
        }
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException notYet) {
            return false;
        }
    }

    BenchCandidate candidate() {
        return candidate;
    }

    /** The sockets of the back-end, one per guest. */
    List<Path> sockets() {
        return sockets;
    }

    /** Returns a reader of the process's resource usage in /proc. */
    ProcPidReader procFiles() {
        return new ProcPidReader(process.pid());
    }

    /** Time from the start of the process until it accepted connections, in nanoseconds. */
    long listenNanos() {
        return listenNanos;
    }

    /**
     * Returns the longest event-loop iteration in microseconds, which this project's daemon logs when it stops; empty
     * for the log of another back-end.
     */
    static OptionalDouble longestIterationMicros(String log) {
        Matcher matcher = LONGEST_ITERATION.matcher(log);
        return matcher.find() ? OptionalDouble.of(Double.parseDouble(matcher.group(1))) : OptionalDouble.empty();
    }

    /** Returns the last line of the process's output for error messages, "(none)" if there is no output. */
    String lastLogLine() throws IOException {
        return Files.readString(log(directory)).lines().reduce("(none)", (before, line) -> line);
    }

    /** Terminates the process and returns its output. */
    String terminate() throws IOException {
        ChildProcessTerminator.terminate(process);
        return Files.readString(log(directory));
    }

    @Override
    public void close() throws IOException {
        ChildProcessTerminator.terminate(process);
        delete(directory);
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
