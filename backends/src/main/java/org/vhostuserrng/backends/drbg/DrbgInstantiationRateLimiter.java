package org.vhostuserrng.backends.drbg;

import java.util.concurrent.TimeUnit;

/**
 * Limits how often the DRBG of a guest is instantiated: a burst of {@link #BURST} times, for firmware, boot loader,
 * kernel and a few resets, then once per second. A guest that restarts its vring again and again delays only itself,
 * and cannot exhaust a slow seed source. Each guest name has one limiter, which outlives sessions. Confined to one
 * thread.
 */
final class DrbgInstantiationRateLimiter {
    static final int BURST = 16;

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long LOG_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    /**
     * The time at which the whole burst is available again: the theoretical arrival time of the generic cell rate
     * algorithm.
     */
    private long fullAt;

    private long logMutedUntil;

    /** Returns whether a seed may be collected now, and charges it to the limit in this case. */
    boolean tryAcquire(long now) {
        long from = Math.max(fullAt, now);
        if (from - now > (BURST - 1) * INTERVAL_NANOS) {
            return false;
        }
        fullAt = from + INTERVAL_NANOS;
        return true;
    }

    /** Returns whether to log a refusal. Returns true at most once a minute. */
    boolean shouldLogRefusal(long now) {
        if (now < logMutedUntil) {
            return false;
        }
        logMutedUntil = now + LOG_INTERVAL_NANOS;
        return true;
    }
}
