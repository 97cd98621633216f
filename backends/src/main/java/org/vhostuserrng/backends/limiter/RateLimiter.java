package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;

/**
 * A maximum of bytes or requests per period. The current time is always a parameter, in nanoseconds that never
 * decrease. Confined to one thread.
 *
 * <p>The limit applies to the data that the guest sees, by the guest's clock. The guest may see charged data later, at
 * {@link #commit} at the latest, and may read its clock later still, so a period can look shorter to the guest. The
 * period is therefore extended by {@link #slack}.
 */
abstract sealed class RateLimiter permits FixedWindowRateLimiter, TokenBucket, UnlimitedRateLimiter {
    /** Size of a request by Linux's virtio-rng driver. */
    static final long TYPICAL_REQUEST_BYTES = 64;

    /** Size of the state of {@link #keep}. */
    static final int KEPT_BYTES = 2 * Long.BYTES;

    static final ValueLayout.OfLong KEPT_LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private static final long MAX_SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int SLACKS_PER_PERIOD = 64;

    /**
     * Creates an unused limit.
     *
     * @param max at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
     * @param periodMillis 1 to {@link GuestRateLimiter#MAX_PERIOD_MILLIS}
     * @param minSlice the smallest slice of a token bucket, at least 1
     */
    static RateLimiter of(RateLimitMode mode, long max, int periodMillis, long minSlice) {
        if (max == GuestRateLimiter.UNLIMITED) {
            return UnlimitedRateLimiter.INSTANCE;
        }
        long period = TimeUnit.MILLISECONDS.toNanos(periodMillis);
        return switch (mode) {
            case WINDOW -> new FixedWindowRateLimiter(max, period + slack(period) / 2);
            case SMOOTH -> new TokenBucket(max, period, slack(period), minSlice);
        };
    }

    private static long slack(long period) {
        return Math.min(MAX_SLACK_NANOS, period / SLACKS_PER_PERIOD);
    }

    /**
     * The amount that may be granted now.
     *
     * @param wanted at least 1
     * @return 1 to {@code wanted}; 0 if fewer than {@link #minGrant} tokens are available
     */
    final long available(long now, long wanted) {
        long tokens = tokens(now);
        return tokens >= minGrant(wanted) ? Math.min(wanted, tokens) : 0;
    }

    /** The tokens available now, however few; at least 0. */
    abstract long tokens(long now);

    /** The smallest grant for a request of {@code wanted}: 1 to {@code wanted}. */
    abstract long minGrant(long wanted);

    /**
     * Charges an amount.
     *
     * @param now the time passed to {@link #tokens} or {@link #available}
     * @param amount at most the available tokens
     */
    abstract void charge(long now, long amount);

    /**
     * Takes back a part of the last charge, before the next one and before {@link #commit}.
     *
     * @param amount 0 to the amount charged
     */
    abstract void refund(long amount);

    /** Reports that the guest can see everything charged so far. */
    abstract void commit(long now);

    /** The time at which {@link #available} will exceed 0 if no amount is charged until then. */
    abstract long nextGrantTime(long wanted);

    /** Whether further tokens would be lost because the limit can store no more. */
    abstract boolean isFull(long now);

    /** The charged amount that still counts against the limit. */
    abstract long used(long now);

    /**
     * Writes the state to memory that outlives this process, {@link #KEPT_BYTES} at {@code offset}. A process that ends
     * between the writes leaves a state that grants no more than the true one.
     *
     * @param clockOffset CLOCK_MONOTONIC minus this object's time
     */
    abstract void keep(MemorySegment memory, long offset, long clockOffset);

    /**
     * Continues from the state that another process wrote, possibly with another limit. Of several states of one limit,
     * and of what has been charged here since, the one that allows least applies.
     *
     * @param clockOffset CLOCK_MONOTONIC minus {@code now}
     */
    abstract void resume(long now, MemorySegment memory, long offset, long clockOffset);

    /**
     * Replaces another limit of the same guest at run time. Grants nothing that the other limit would not have granted
     * now, so that no change of limits is a refill, except after no limit. To be called before any other method, and
     * between a {@link #commit} and the next {@link #charge} of the predecessor.
     */
    abstract void replace(long now, RateLimiter predecessor);

    /** Charges {@code amount} as if it had been used now, but at most the available tokens. */
    abstract void restore(long now, long amount);
}
