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

/** A candidate's process, from when it listens; ends with it. */
final class BenchBackendProcess implements AutoCloseable {
    private static final long START_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
    private static final Pattern LONGEST_ITERATION = Pattern.compile("longest turn took (\\d+) µs");

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

    /** Starts a back-end for so many guests and waits until it accepts the last of them. */
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

    /** The sockets of its guests. */
    List<Path> sockets() {
        return sockets;
    }

    /** What the kernel tells of its process. */
    ProcPidReader procFiles() {
        return new ProcPidReader(process.pid());
    }

    /** Nanoseconds from the start of its process until it listened. */
    long listenNanos() {
        return listenNanos;
    }

    /** The longest turn of its loop in microseconds, which this project's daemon tells when it ends. */
    static OptionalDouble longestIterationMicros(String log) {
        Matcher told = LONGEST_ITERATION.matcher(log);
        return told.find() ? OptionalDouble.of(Double.parseDouble(told.group(1))) : OptionalDouble.empty();
    }

    /** The last line that the process has told, for whoever looks for the reason of a failure. */
    String lastLogLine() throws IOException {
        return Files.readString(log(directory)).lines().reduce("nothing", (before, line) -> line);
    }

    /** Ends the process; what it has told. */
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
