package org.vhostuserrng.daemon.hold;

import java.util.concurrent.TimeUnit;

/**
 * Computes how long to wait before the service is started again. The service is restarted at once, unless it has ended
 * more than five times in a row within a second of its start: then the delay doubles from 50 ms up to a second.
 * Confined to one thread.
 */
final class RestartDelay {
    static final long SHORT_RUN_NANOS = TimeUnit.SECONDS.toNanos(1);
    static final long FIRST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    static final long MAX_DELAY_NANOS = TimeUnit.SECONDS.toNanos(1);
    static final int SHORT_RUNS_WITHOUT_DELAY = 5;

    private int shortRuns;

    /**
     * Returns the delay in nanoseconds.
     *
     * @param ranNanos how long the service ran before it ended, in nanoseconds
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
        // Bounding the shift count prevents an overflow.
        return Math.min(FIRST_DELAY_NANOS << Math.min(delayed - 1, Short.SIZE), MAX_DELAY_NANOS);
    }
}
