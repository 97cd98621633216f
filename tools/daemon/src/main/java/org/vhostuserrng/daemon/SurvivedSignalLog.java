package org.vhostuserrng.daemon;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.LogLineLimiter;
import org.vhostuserrng.libc.ServiceSignals;

/** Logs signals that the daemon survives, a limited number of times. Any thread. */
final class SurvivedSignalLog {
    private static final Logger LOG = LoggerFactory.getLogger(SurvivedSignalLog.class);
    private static final int MAX_LINES_PER_MINUTE = 10;

    private final LogLineLimiter limiter;

    SurvivedSignalLog(LongSupplier clock) {
        limiter = new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), clock);
    }

    synchronized void received(String signal) {
        long suppressed = limiter.takeSuppressed();
        if (suppressed > 0) {
            LOG.info("signals: {} more lines suppressed", suppressed);
        }
        if (limiter.mayWrite()) {
            LOG.info(
                    "{}: {}; the daemon goes on",
                    signal,
                    signal.equals(ServiceSignals.SIGHUP)
                            ? "there is nothing to reload, all settings are on the command line"
                            : "this signal has no meaning here");
        }
    }
}
