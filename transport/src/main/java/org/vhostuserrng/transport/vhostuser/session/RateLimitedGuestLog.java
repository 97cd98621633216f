package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a guest or its front-end causes to be logged: a bounded number of lines a minute, since either can cause them as
 * fast as it likes. What was left out is counted, and told with the next line. Confined to the loop's thread.
 */
public final class RateLimitedGuestLog {
    private static final Logger LOG = LoggerFactory.getLogger(RateLimitedGuestLog.class);
    static final int LINES_A_MINUTE = 30;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final String guest;
    private final LongSupplier clock;
    private long minuteBegan;
    private int lines;
    private long leftOut;

    /**
     * A log in which nothing has been written.
     *
     * @param clock nanoseconds
     */
    public RateLimitedGuestLog(String guest, LongSupplier clock) {
        this.guest = guest;
        this.clock = clock;
    }

    /** Something that happens in the life of a guest. */
    public void info(String event) {
        if (mayWrite()) {
            LOG.info("{}: {}", guest, event);
        }
    }

    /** Something that the guest or its front-end did wrong. */
    public void warn(String fault) {
        if (mayWrite()) {
            LOG.warn("{}: {}", guest, fault);
        }
    }

    /** Something that we did wrong; always written. */
    public void bug(String where, RuntimeException bug) {
        LOG.error("{}: bug in vhost-user-rng, {}", guest, where, bug);
    }

    private boolean mayWrite() {
        long now = clock.getAsLong();
        if (now - minuteBegan >= MINUTE) {
            if (leftOut > 0) {
                LOG.warn("{}: {} more lines about it were left out", guest, leftOut);
            }
            minuteBegan = now;
            lines = 0;
            leftOut = 0;
        }
        if (lines == LINES_A_MINUTE) {
            leftOut++;
            return false;
        }
        lines++;
        return true;
    }
}
