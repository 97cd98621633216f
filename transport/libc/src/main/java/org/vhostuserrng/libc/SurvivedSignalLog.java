package org.vhostuserrng.libc;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Logs the signals that a service received and ignored, at most 10 lines per minute. Any thread. */
public final class SurvivedSignalLog {
    static final int MAX_LINES_PER_MINUTE = 10;

    private final LogLineLimiter limiter;
    private final Consumer<String> log;

    /**
     * Creates a log with no lines.
     *
     * @param clock returns the time in nanoseconds, like {@link System#nanoTime}
     * @param log receives the lines
     */
    public SurvivedSignalLog(LongSupplier clock, Consumer<String> log) {
        limiter = new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), clock);
        this.log = log;
    }

    /**
     * Logs a signal, unless the limit is reached.
     *
     * @param signal the name, such as {@code SIGHUP}
     */
    public synchronized void received(String signal) {
        long suppressed = limiter.takeSuppressed();
        if (suppressed > 0) {
            log.accept("signals: " + suppressed + " more lines suppressed");
        }
        if (limiter.mayWrite()) {
            log.accept(signal
                    + (signal.equals(ServiceSignals.SIGHUP)
                            ? ": there is nothing to reload, all settings are on the command line"
                            : ": ignored"));
        }
    }
}
