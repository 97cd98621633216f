package org.vhostuserrng.daemon.hold;

import java.util.concurrent.TimeUnit;

/**
 * How long to wait before the service is started again. A service that has ended is started at once, unless it has
 * repeatedly ended within a second: then the delay doubles from 50 ms up to a second. Confined to one thread.
 */
final class RestartDelay {
    static final long SHORT_RUN_NANOS = TimeUnit.SECONDS.toNanos(1);
    static final long FIRST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    static final long MAX_DELAY_NANOS = TimeUnit.SECONDS.toNanos(1);
    static final int SHORT_RUNS_WITHOUT_DELAY = 5;

    private int shortRuns;

    /**
     * The delay, in nanoseconds.
     *
     * @param ranNanos how long the service has run
     */
    long after(long ranNanos) {
        if (ranNanos >= SHORT_RUN_NANOS) {
            shortRuns = 0;
            return 0;
        }
        shortRuns++;
        int delayed = shortRuns - SHORT_RUNS_WITHOUT_DELAY;
        if (delayed <= 0) {
            return 0;
        }
        // The shift is bounded, so that it does not overflow.
        return Math.min(FIRST_DELAY_NANOS << Math.min(delayed - 1, Short.SIZE), MAX_DELAY_NANOS);
    }
}
