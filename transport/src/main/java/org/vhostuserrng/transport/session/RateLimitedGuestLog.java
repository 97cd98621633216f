package org.vhostuserrng.transport.session;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of one guest. Writes at most {@link #MAX_LINES_PER_MINUTE} lines per minute, because the guest and its
 * front-end can cause lines at any rate. Counts the suppressed lines. Confined to the loop's thread.
 */
public final class RateLimitedGuestLog {
    private static final Logger LOG = LoggerFactory.getLogger(RateLimitedGuestLog.class);
    static final int MAX_LINES_PER_MINUTE = 30;
    private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String guest;
    private final LongSupplier clock;
    private long minuteBegan;
    private int lines;
    private long suppressed;

    /**
     * Creates the log of a guest.
     *
     * @param clock returns the time in nanoseconds
     */
    public RateLimitedGuestLog(String guest, LongSupplier clock) {
        this.guest = guest;
        this.clock = clock;
    }

    /** Logs an event of the guest, such as that a front-end has connected. */
    public void info(String event) {
        if (mayWrite()) {
            LOG.info("{}: {}", guest, event);
        }
    }

    /** Logs an error that the guest, its front-end or the host has caused. */
    public void warn(String fault) {
        if (mayWrite()) {
            LOG.warn("{}: {}", guest, fault);
        }
    }

    /** Logs a state for debugging. Not rate limited, because the operator must enable it. */
    public void debug(Object state) {
        LOG.debug("{}: {}", guest, state);
    }

    public boolean isDebugEnabled() {
        return LOG.isDebugEnabled();
    }

    /**
     * Logs a bug of this program. Not rate limited.
     *
     * @param where describes what the program was doing
     */
    public void bug(String where, RuntimeException bug) {
        LOG.error("{}: bug in vhost-user-rng, {}", guest, where, bug);
    }

    private boolean mayWrite() {
        long now = clock.getAsLong();
        if (now - minuteBegan >= MINUTE_NANOS) {
            if (suppressed > 0) {
                LOG.warn("{}: {} more lines suppressed", guest, suppressed);
            }
            minuteBegan = now;
            lines = 0;
            suppressed = 0;
        }
        if (lines == MAX_LINES_PER_MINUTE) {
            suppressed++;
            return false;
        }
        lines++;
        return true;
    }
}
