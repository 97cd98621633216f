package org.vhostuserrng.cli.egd;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.LogLineLimiter;

/** The server's log. The rate of lines is limited, because clients can cause them. Confined to the server's thread. */
final class EgdServerLog {
    static final int MAX_LINES_PER_MINUTE = 20;
    private static final Logger LOG = LoggerFactory.getLogger(EgdServer.class);

    private final LogLineLimiter limiter;

    /**
     * Creates a log.
     *
     * @param clock returns the time in nanoseconds
     */
    EgdServerLog(LongSupplier clock) {
        limiter = new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), clock);
    }

    void warn(String line) {
        reportSuppressed();
        if (limiter.mayWrite()) {
            LOG.warn(line);
        }
    }

    void debug(String line) {
        LOG.debug(line);
    }

    /** Logs how many lines were suppressed, if that report is due. */
    void reportSuppressed() {
        long suppressed = limiter.takeSuppressed();
        if (suppressed > 0) {
            LOG.warn("{} more lines suppressed", suppressed);
        }
    }

    /** Returns the time at which {@link #reportSuppressed} must be called, or {@code Long.MAX_VALUE}. */
    long reportDueAt() {
        return limiter.suppressedDueAt();
    }
}
