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
import org.vhostuserrng.backends.expression.KeyValueScanner;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.cli.process.ExecutableLookup;

/**
 * A program whose output is an entropy source. The program writes to a FIFO, which is read like any other FIFO source,
 * so health tests and failover apply. A program that exits is restarted after a delay. The delay doubles with each exit
 * and is reset once the program has run for {@link #MAX_RESTART_DELAY}.
 */
final class CommandSourceProcess implements AutoCloseable {
    static final String PREFIX = "command:";

    private static final Logger LOG = LoggerFactory.getLogger(CommandSourceProcess.class);
    private static final Duration MIN_RESTART_DELAY = Duration.ofMillis(100);
    private static final Duration MAX_RESTART_DELAY = Duration.ofSeconds(10);
    private static final int OWNER_ONLY = 0600;

    private final List<String> command;
    private final Path directory;
    private final Path fifo;
    /**
     * Keeps both ends of the FIFO open, so that opening never blocks and the reader sees no end of file during a
     * restart of the program.
     */
    private final RandomAccessFile fifoKeeper;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private Process process;

    private CommandSourceProcess(List<String> command, Path directory, Path fifo) throws IOException {
        this.command = command;
        this.directory = directory;
        this.fifo = fifo;
        this.fifoKeeper = new RandomAccessFile(fifo.toFile(), "rw");
    }

    /**
     * Parses a command.
     *
     * @param source {@link #PREFIX}, the program and its arguments, separated by spaces; a program without a slash is
     *     searched in PATH
     * @throws IllegalArgumentException with the expected syntax, if the program does not exist or is not executable
     */
    static List<String> parseCommand(String source) {
        String words = source.substring(PREFIX.length());
        List<String> command = Stream.of(words.strip().split("\\s+")).toList();
        requireExecutable(command.getFirst());
        return command;
    }

    /** Creates the FIFO and starts the program and a thread that supervises it. */
    static CommandSourceProcess start(List<String> command) throws IOException {
        Path directory = Files.createTempDirectory("vhost-user-rng");
        Path fifo = directory.resolve("output");
        POSIX posix = POSIXFactory.getPOSIX();
        if (posix.mkfifo(fifo.toString(), OWNER_ONLY) != 0) {
            throw new IOException("cannot create FIFO " + fifo + ": errno " + posix.errno());
        }
        CommandSourceProcess output = new CommandSourceProcess(command, directory, fifo);
        Thread.ofPlatform().daemon().name("program " + command.getFirst()).start(output::superviseProcess);
        return output;
    }

    private static void requireExecutable(String program) {
        if (ExecutableLookup.find(program).isEmpty()) {
            throw new IllegalArgumentException("expected " + PREFIX + "PROGRAM ARGUMENTS with an executable program");
        }
    }

    /** The source that reads the program's output. */
    EntropySourceSpec spec() {
        return SourceExpressionParser.parse("file:" + KeyValueScanner.quote(fifo.toString()));
    }

    private void superviseProcess() {
        Duration delay = MIN_RESTART_DELAY;
        try {
            do {
                long started = System.nanoTime();
                String exit = runOnce();
                if (System.nanoTime() - started > MAX_RESTART_DELAY.toNanos()) {
                    delay = MIN_RESTART_DELAY;
                }
                if (stopped.getCount() > 0) {
                    LOG.warn("{}{}: {}; restarting in {} ms", PREFIX, command.getFirst(), exit, delay.toMillis());
                }
                delay = doubled(delay);
            } while (!stopped.await(delay.toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration doubled(Duration delay) {
        Duration twice = delay.multipliedBy(2);
        return twice.compareTo(MAX_RESTART_DELAY) < 0 ? twice : MAX_RESTART_DELAY;
    }

    /** Runs the program once; returns its exit status or the reason for which it did not start, for the log. */
    private String runOnce() throws InterruptedException {
        try {
            return "exited with status " + start().waitFor();
        } catch (IOException failed) {
            return String.valueOf(failed.getMessage());
        }
    }

    private synchronized Process start() throws IOException {
        if (stopped.getCount() == 0) {
            throw new IOException("stopped");
        }
        process = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(fifo.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        return process;
    }

    /** Terminates the program and its descendants and removes the FIFO. */
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
