package org.vhostuserrng.backends.limiter;

import java.util.concurrent.TimeUnit;

/**
 * So much of something, bytes or requests, in a period. Time is an input, nanoseconds that do not run backwards. Confined
 * to one thread.
 *
 * <p>What is charged may be seen by the guest later: {@link #settle} tells when at the latest. And a guest looks at its
 * clock a little after it could have seen it. The limit holds for what is seen, so a period is taken a little longer than
 * it is: by {@link #slack}.
 */
abstract sealed class RateLimit permits FixedWindowCounter, TokenBucket, UnlimitedRate {
    /** Bytes; what a Linux guest asks for. */
    static final long TYPICAL_REQUEST = 64;

    private static final long MOST_SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int SLACKS_A_PERIOD = 64;

    /**
     * An allowance that is unused.
     *
     * @param max at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
     * @param periodMillis 1 to {@link GuestRateLimiter#LONGEST_PERIOD_MILLIS}
     * @param least what it is not worth to give less of, at least 1
     */
    static RateLimit of(RateLimitMode mode, long max, int periodMillis, long least) {
        if (max == GuestRateLimiter.UNLIMITED) {
            return UnlimitedRate.INSTANCE;
        }
        long period = TimeUnit.MILLISECONDS.toNanos(periodMillis);
        return switch (mode) {
            case WINDOW -> new FixedWindowCounter(max, period + slack(period) / 2);
            case SMOOTH -> new TokenBucket(max, period, slack(period), least);
        };
    }

    private static long slack(long period) {
        return Math.min(MOST_SLACK_NANOS, period / SLACKS_A_PERIOD);
    }

    /**
     * How much may be had now.
     *
     * @param wanted at least 1
     * @return 1 to {@code wanted}; or 0 while it is not worth it
     */
    final long available(long now, long wanted) {
        long stored = inStore(now);
        return stored >= worthwhile(wanted) ? Math.min(wanted, stored) : 0;
    }

    /** How much there is now, however little; at least 0. */
    abstract long inStore(long now);

    /** The least that is worth giving to one who wants {@code wanted}: 1 to {@code wanted}. */
    abstract long worthwhile(long wanted);

    /**
     * Counts what was had.
     *
     * @param now the time given to {@link #inStore} or {@link #available}
     * @param amount at most what there is
     */
    abstract void charge(long now, long amount);

    /** Tells that all that was charged so far can be seen. */
    abstract void settle(long now);

    /** When {@link #available} will be more than 0, if nothing is charged before. */
    abstract long nextRefill(long wanted);

    /** Whether something that comes now would be lost, as no more can be kept. */
    abstract boolean isFull(long now);

    /** What has been charged and still counts. */
    abstract long charged(long now);

    /** Has {@code amount} count as if it had been charged now, as far as there is room for it. */
    abstract void restore(long now, long amount);
}
