package org.vhostuserrng.backends.drbg;

import java.util.concurrent.TimeUnit;

/**
 * Limits how often a guest may instantiate a DRBG: a burst of {@link #BURST}, for firmware, boot loader, kernel and a
 * few resets, then once per second. A guest that keeps restarting its vring delays only itself and cannot exhaust slow
 * seed sources. Each guest name has one limiter, which is kept across sessions. Confined to one thread.
 */
final class DrbgSeedRateLimiter {
    static final int BURST = 16;

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long LOG_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Time at which the whole burst is available again: the theoretical arrival time of GCRA. */
    private long fullAt;

    private long logMutedUntil;

    /** Whether a seed may be collected now; if so, charges it to the limit. */
    boolean tryAcquire(long now) {
        long from = Math.max(fullAt, now);
        if (from - now > (BURST - 1) * INTERVAL_NANOS) {
            return false;
        }
        fullAt = from + INTERVAL_NANOS;
        return true;
    }

    /** Whether to log a refusal now; true at most once a minute. */
    boolean shouldLogRefusal(long now) {
        if (now < logMutedUntil) {
            return false;
        }
        logMutedUntil = now + LOG_INTERVAL_NANOS;
        return true;
    }
}
