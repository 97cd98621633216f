package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.sys.ChildProcess;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.WakeablePoller;
import org.vhostuserrng.libc.ChildStatus;

/**
 * The output of a program. When the program ends, even if a descendant keeps its stdout open, it is started again,
 * after a delay that doubles as long as its runs are short. Exit status 0 is not a failure: the output of all runs is
 * one stream, and the health tests continue. Any other end is a failure of the source. Confined to the source's read-
 * ahead thread.
 */
final class CommandSource implements BlockingEntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(CommandSource.class);
    private static final long MIN_RESTART_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long MAX_RESTART_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long LOG_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);
    /** Maximum time for which a program may run after it has closed its stdout. */
    private static final long EXIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    /**
     * Maximum number of bytes that are read after the end of the program: pipe(7), the default capacity of a pipe. A
     * descendant of the program may still write.
     */
    private static final int MAX_BYTES_AFTER_END = 1 << 16;

    private static final int EXIT_POLL_MILLIS = 5;
    private static final int STDERR_BYTES = 1024;
    /** Maximum number of reads of stderr between two reads of stdout. */
    private static final int MAX_STDERR_READS = 16;

    private final String name;
    private final List<String> words;
    private final LongSupplier clock;
    private final CommandErrorLog errors;
    private final MemorySegment errorBuffer = Arena.ofAuto().allocate(STDERR_BYTES);
    /** The running program; null while it does not run. */
    private ChildProcess child;
    /** The program's stderr; null after the program has closed it. */
    private EntropyFile stderr;

    /** Number of bytes that were read since the program ended. */
    private int bytesAfterEnd;

    private long startedAt;
    private long restartNanos;
    private long notBefore;
    private boolean endLogged;
    private long endLoggedAt;

    /**
     * Creates a source whose program does not run yet.
     *
     * @param name the source's name, for log lines
     * @param words the program and its arguments
     * @param clock returns a monotonic time in nanoseconds
     */
    CommandSource(String name, List<String> words, LongSupplier clock) {
        this.name = name;
        this.words = words;
        this.clock = clock;
        this.errors = new CommandErrorLog(line -> LOG.warn("{}: {}", name, line));
        this.notBefore = clock.getAsLong();
    }

    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        if (child == null) {
            long wait = notBefore - clock.getAsLong();
            if (wait > 0) {
                poller.sleep((int) TimeUnit.NANOSECONDS.toMillis(wait) + 1);
                return NO_DATA;
            }
            start();
            return NO_DATA;
        }
        if (poller.awaitOutputOrEnd(child, stderr)) {
            return NO_DATA;
        }
        logErrors();
        // Looked up before the read, which then receives all that the program has written.
        boolean hasEnded = child.end() != null;
        if (hasEnded && bytesAfterEnd >= MAX_BYTES_AFTER_END) {
            return ended(poller);
        }
        int read = child.stdout().read(target, offset, length);
        if (read > 0) {
            bytesAfterEnd += hasEnded ? read : 0;
            return read;
        }
        return read == EntropyFile.EAGAIN && !hasEnded ? NO_DATA : ended(poller);
    }

    @Override
    public void awaitDemand(WakeablePoller poller) {
        while (child != null && stderr != null && !poller.awaitReadable(null, stderr)) {
            logErrors();
        }
        if (stderr == null) {
            poller.sleep(-1);
        }
    }

    private void start() throws IOException {
        startedAt = clock.getAsLong();
        try {
            child = ChildProcess.start(words);
        } catch (IOException failed) {
            delayRestart();
            throw failed;
        }
        stderr = child.stderr();
        bytesAfterEnd = 0;
    }

    private void delayRestart() {
        long now = clock.getAsLong();
        boolean shortRun = now - startedAt < MAX_RESTART_NANOS;
        restartNanos = shortRun && restartNanos > 0 ? Math.min(2 * restartNanos, MAX_RESTART_NANOS) : MIN_RESTART_NANOS;
        notBefore = now + restartNanos;
    }

    private void logErrors() {
        for (int i = 0; i < MAX_STDERR_READS && stderr != null; i++) {
            int read = stderr.read(errorBuffer, 0, STDERR_BYTES);
            if (read == EntropyFile.EAGAIN) {
                return;
            }
            if (read <= 0) {
                errors.end(clock.getAsLong());
                stderr = null;
            } else {
                byte[] output = errorBuffer.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE);
                errors.add(output, read, clock.getAsLong());
            }
        }
    }

    /**
     * Handles the end of the program or of its stdout: ends the process group and schedules its next start. Returns
     * {@link #NO_DATA} if the program exited with status 0.
     *
     * @throws IOException with a description of any other end
     */
    private int ended(WakeablePoller poller) throws IOException {
        long deadline = clock.getAsLong() + EXIT_NANOS;
        while (child.end() == null && clock.getAsLong() - deadline < 0 && !poller.sleep(EXIT_POLL_MILLIS)) {
            logErrors();
        }
        logErrors();
        if (stderr != null) {
            errors.end(clock.getAsLong());
        }
        ChildStatus end = child.end();
        boolean succeeded = child.hasSucceeded();
        close();
        delayRestart();
        if (!succeeded) {
            throw new IOException(end == null ? "the program closed its output" : "the program " + end);
        }
        logSuccess();
        return NO_DATA;
    }

    private void logSuccess() {
        long now = clock.getAsLong();
        if (!endLogged || now - endLoggedAt >= LOG_INTERVAL_NANOS) {
            endLogged = true;
            endLoggedAt = now;
            LOG.info("{}: the program exited with status 0; it is started again", name);
        }
    }

    @Override
    public void close() {
        stderr = null;
        if (child != null) {
            child.close();
            child = null;
        }
    }
}
