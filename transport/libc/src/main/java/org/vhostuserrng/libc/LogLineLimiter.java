package org.vhostuserrng.libc;

import java.util.function.LongSupplier;

/**
 * Limits log lines that a peer can cause at any rate: at most a number of lines per interval. The others are counted,
 * and the count is due once the interval is over. Confined to one thread.
 */
public final class LogLineLimiter {
    private final int maxLines;
    private final long intervalNanos;
    private final LongSupplier clock;
    private long intervalBegan;
    private int lines;
    private long suppressed;

    /**
     * Permits {@code maxLines} per interval.
     *
     * @param clock nanoseconds
     */
    public LogLineLimiter(int maxLines, long intervalNanos, LongSupplier clock) {
        this.maxLines = maxLines;
        this.intervalNanos = intervalNanos;
        this.clock = clock;
        this.intervalBegan = clock.getAsLong();
    }

    /** Whether a line may be written. Call {@link #takeSuppressed} first. */
    public boolean mayWrite() {
        beginInterval();
        if (lines == maxLines) {
            suppressed++;
            return false;
        }
        lines++;
        return true;
    }

    /** The number of lines that were suppressed in an interval that is over, once; 0 if there is none. */
    public long takeSuppressed() {
        if (suppressed == 0 || clock.getAsLong() - intervalBegan < intervalNanos) {
            return 0;
        }
        long taken = suppressed;
        suppressed = 0;
        beginInterval();
        return taken;
    }

    /** The time at which {@link #takeSuppressed} has a number, or {@code Long.MAX_VALUE}. */
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
