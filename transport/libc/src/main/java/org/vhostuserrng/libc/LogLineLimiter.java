package org.vhostuserrng.libc;

import java.util.function.LongSupplier;

/**
 * Limits log lines that a peer can cause at any rate to a maximum number of lines per interval. Counts the suppressed
 * lines, and returns the count when the interval is over. Confined to one thread.
 */
public final class LogLineLimiter {
    private final int maxLines;
    private final long intervalNanos;
    private final LongSupplier clock;
    private long intervalBegan;
    private int lines;
    private long suppressed;

    /**
     * Creates a limiter that permits {@code maxLines} log lines per interval.
     *
     * @param clock returns the time in nanoseconds, like {@link System#nanoTime}
     */
    public LogLineLimiter(int maxLines, long intervalNanos, LongSupplier clock) {
        this.maxLines = maxLines;
        this.intervalNanos = intervalNanos;
        this.clock = clock;
        this.intervalBegan = clock.getAsLong();
    }

    /**
     * Returns whether a line may be written, and counts it as written or suppressed. Call {@link #takeSuppressed}
     * first.
     */
    public boolean mayWrite() {
        beginInterval();
        if (lines == maxLines) {
            suppressed++;
            return false;
        }
        lines++;
        return true;
    }

    /**
     * Returns the number of lines that were suppressed, and resets it; 0 if none were, or if the interval is not over.
     */
    public long takeSuppressed() {
        if (suppressed == 0 || clock.getAsLong() - intervalBegan < intervalNanos) {
            return 0;
        }
        long taken = suppressed;
        suppressed = 0;
        beginInterval();
        return taken;
    }

    /**
     * Returns the time from which {@link #takeSuppressed} returns a number above 0; {@code Long.MAX_VALUE} if no line
     * was suppressed.
     */
    public long suppressedDueAt() {
        return suppressed == 0 ? Long.MAX_VALUE : intervalBegan + intervalNanos;
    }

    private void beginInterval() {
        long now = clock.getAsLong();
        if (now - intervalBegan >= intervalNanos) {
            intervalBegan = now;
            lines = 0;
        }
    }
}
