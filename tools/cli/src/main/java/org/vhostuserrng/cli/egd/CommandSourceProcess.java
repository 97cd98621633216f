package org.vhostuserrng.cli.egd;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.EntropySourceSpec;

/**
 * A program whose output is a source: it writes into a FIFO, which is read as any other; so health tests and failover
 * are the same. A program that ends is started again, after a pause that grows for as long as it ends soon.
 */
final class CommandSourceProcess implements AutoCloseable {
    static final String PREFIX = "command:";

    private static final Logger LOG = LoggerFactory.getLogger(CommandSourceProcess.class);
    private static final Duration MIN_RESTART_DELAY = Duration.ofMillis(100);
    private static final Duration MAX_RESTART_DELAY = Duration.ofSeconds(10);
    private static final int OWNER_ONLY = 0600;

    private final List<String> parseCommand;
    private final Path directory;
    private final Path fifo;
    /** Both ends: starting a program need not wait for a reader, and readers see no end between two programs. */
    private final RandomAccessFile fifoKeeper;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private Process process;

    private CommandSourceProcess(List<String> command, Path directory, Path fifo) throws IOException {
        this.parseCommand = command;
        this.directory = directory;
        this.fifo = fifo;
        this.fifoKeeper = new RandomAccessFile(fifo.toFile(), "rw");
    }

    /**
     * Reads a command.
     *
     * @param source {@link #PREFIX}, the program, looked for in PATH if it has no slash, and its arguments; split at
     *     spaces
     * @throws IllegalArgumentException with what is allowed, if there is no such program
     */
    static List<String> parseCommand(String source) {
        String words = source.substring(PREFIX.length());
        List<String> command = Stream.of(words.strip().split("\\s+")).toList();
        requireExecutable(command.getFirst());
        return command;
    }

    /** Starts a program. */
    static CommandSourceProcess start(List<String> command) throws IOException {
        Path directory = Files.createTempDirectory("vhost-user-rng");
        Path fifo = directory.resolve("output");
        POSIX posix = POSIXFactory.getPOSIX();
        if (posix.mkfifo(fifo.toString(), OWNER_ONLY) != 0) {
            throw new IOException("cannot make a FIFO " + fifo + ": errno " + posix.errno());
        }
        CommandSourceProcess output = new CommandSourceProcess(command, directory, fifo);
        Thread.ofPlatform().daemon().name("program " + command.getFirst()).start(output::superviseProcess);
        return output;
    }

    private static void requireExecutable(String program) {
        Stream<Path> candidates = program.contains("/")
                ? Stream.of(Path.of(program))
                : Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                        .map(directory -> Path.of(directory).resolve(program));
        if (candidates.noneMatch(file -> Files.isRegularFile(file) && Files.isExecutable(file))) {
            throw new IllegalArgumentException(
                    "expected " + PREFIX + "PROGRAM ARGUMENTS with a program that can be run");
        }
    }

    /** The source: where the program writes to. */
    EntropySourceSpec spec() {
        return EntropySourceSpec.parse("file:" + fifo.toString().replace(",", ",,"));
    }

    private void superviseProcess() {
        Duration pause = MIN_RESTART_DELAY;
        try {
            do {
                long started = System.nanoTime();
                String end = runOnce();
                if (System.nanoTime() - started > MAX_RESTART_DELAY.toNanos()) {
                    pause = MIN_RESTART_DELAY;
                }
                if (stopped.getCount() > 0) {
                    LOG.warn(
                            "{}{}: {}; started again in {} ms", PREFIX, parseCommand.getFirst(), end, pause.toMillis());
                }
                pause = doubled(pause);
            } while (!stopped.await(pause.toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException told) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration doubled(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(MAX_RESTART_DELAY) < 0 ? twice : MAX_RESTART_DELAY;
    }

    /** Runs the program to its end; returns how it ended. */
    private String runOnce() throws InterruptedException {
        try {
            return "ended with status " + start().waitFor();
        } catch (IOException failed) {
            return String.valueOf(failed.getMessage());
        }
    }

    private synchronized Process start() throws IOException {
        if (stopped.getCount() == 0) {
            throw new IOException("stopped");
        }
        process = new ProcessBuilder(parseCommand)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(fifo.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        return process;
    }

    /** Ends the program. */
    @Override
    public synchronized void close() throws IOException {
        stopped.countDown();
        if (process != null) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        }
        fifoKeeper.close();
        Files.deleteIfExists(fifo);
        Files.deleteIfExists(directory);
    }
}
