package org.vhostuserrng.backends.drbg;

import java.util.concurrent.TimeUnit;

/**
 * How often a guest may have a new DRBG seeded: {@link #BURST} times at once, as firmware, boot loader, kernel and a few
 * resets follow each other, then once a second. A guest that starts its ring over and over waits for itself and leaves
 * the entropy of slow sources to the others. It belongs to the guest's name, whatever sessions come and go.
 */
final class DrbgSeedRateLimiter {
    static final int BURST = 16;

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long SILENCE_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** When all of the burst is there again. */
    private long whole;

    private long silentUntil;

    /** Whether a seed may be collected now, which then counts. */
    boolean take(long now) {
        long from = Math.max(whole, now);
        if (from - now > (BURST - 1) * INTERVAL_NANOS) {
            return false;
        }
        whole = from + INTERVAL_NANOS;
        return true;
    }

    /** Whether it is time to tell of a refusal, which then counts as told: not more than once a minute. */
    boolean isToBeTold(long now) {
        if (now < silentUntil) {
            return false;
        }
        silentUntil = now + SILENCE_NANOS;
        return true;
    }
}
