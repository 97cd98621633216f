package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;

/**
 * A limit of bytes or requests per period. The current time is always a parameter in nanoseconds, and must never
 * decrease. Confined to one thread.
 *
 * <p>The limit applies to the data that the guest sees, measured by the guest's clock. The guest sees charged data
 * later, at {@link #commit} at the latest, and may read its clock even later, so that a period can seem shorter to the
 * guest. Therefore the period is extended by {@link #slack}.
 */
abstract sealed class RateLimiter permits FixedWindowRateLimiter, TokenBucket, UnlimitedRateLimiter {
    /** Size in bytes of a request of Linux's virtio-rng driver. */
    static final long TYPICAL_REQUEST_BYTES = 64;

    /** Size of the state that {@link #keep} writes, in bytes. */
    static final int PERSISTED_BYTES = 2 * Long.BYTES;

    static final ValueLayout.OfLong PERSISTED_LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private static final long MAX_SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int SLACKS_PER_PERIOD = 64;

    /**
     * Creates an unused limit.
     *
     * @param max maximum amount per period, at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
     * @param periodMillis length of the period in milliseconds, 1 to {@link GuestRateLimiter#MAX_PERIOD_MILLIS}
     * @param minSlice minimum slice of a token bucket, at least 1
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
     * Returns the amount that may be granted now.
     *
     * @param wanted the wanted amount, at least 1
     * @return 1 to {@code wanted}; 0 if fewer than {@link #minGrant} tokens are available
     */
    final long available(long now, long wanted) {
        long tokens = tokens(now);
        return tokens >= minGrant(wanted) ? Math.min(wanted, tokens) : 0;
    }

    /** Returns the number of tokens that are available now, at least 0. */
    abstract long tokens(long now);

    /** Returns the minimum grant for a request of {@code wanted}: 1 to {@code wanted}. */
    abstract long minGrant(long wanted);

    /**
     * Charges an amount.
     *
     * @param now the time passed to {@link #tokens} or {@link #available}
     * @param amount at most the number of available tokens
     */
    abstract void charge(long now, long amount);

    /**
     * Refunds a part of the last charge. Must be called before the next charge and before {@link #commit}.
     *
     * @param amount 0 to the charged amount
     */
    abstract void refund(long amount);

    /** Reports that the guest can see everything that was charged so far. */
    abstract void commit(long now);

    /** Returns the time at which {@link #available} returns more than 0 if nothing is charged until then. */
    abstract long nextGrantTime(long wanted);

    /** Returns whether the limit cannot store more tokens, so that further ones would be lost. */
    abstract boolean isFull(long now);

    /** Returns the charged amount that still counts against the limit. */
    abstract long used(long now);

    /**
     * Writes the state to memory that outlives this process: {@link #PERSISTED_BYTES} at {@code offset}. If the process
     * ends between the writes, the state in memory permits no more than the true state.
     *
     * @param clockOffset CLOCK_MONOTONIC minus this object's time, in nanoseconds
     */
    abstract void keep(MemorySegment memory, long offset, long clockOffset);

    /**
     * Continues from the state that a previous process wrote, possibly with another limit. If this object has been used
     * already, the state that permits less applies.
     *
     * @param clockOffset CLOCK_MONOTONIC minus {@code now}, in nanoseconds
     */
    abstract void resume(long now, MemorySegment memory, long offset, long clockOffset);

    /**
     * Takes over from another limit of the same guest at run time. Does not grant more now than the other limit would,
     * so that a change of limits is not a refill; after {@link UnlimitedRateLimiter}, starts unused. Must be called
     * before any other method, and between a {@link #commit} and the next {@link #charge} of the predecessor.
     */
    abstract void replace(long now, RateLimiter predecessor);

    /** Charges {@code amount}, at most the available tokens, as if it had been used now. */
    abstract void restore(long now, long amount);
}
