package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;

/**
 * A token bucket. In any interval of one period, a guest gets at most one slice (the tokens in the bucket at the start)
 * plus max (the tokens that are added during the interval).
 *
 * <p>Max tokens are added per period plus slack. The slack compensates for delays that make a period seem shorter to
 * the guest:
 *
 * <ul>
 *   <li>a quarter for the time from {@link #charge} to {@link #commit}
 *   <li>a quarter for a guest that reads its clock late
 *   <li>half for timers that fire late: the capacity is one slice plus the tokens that are added in this time
 * </ul>
 */
final class TokenBucket extends RateLimiter {
    private static final int SLICES_PER_PERIOD = 64;
    /**
     * Minimum slice as a time, because the bucket must have room for the tokens that are added until a timer fires, up
     * to a millisecond late.
     */
    private static final long MIN_SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    /** Reduces the rate by more than the rounding errors of all computations, so that no token is added too early. */
    private static final double ROUNDING = 1 - 0x1p-40;

    private final double tokensPerNano;
    private final long slice;
    private final long capacity;
    private final long nanosToFill;
    /** Maximum time from a charge to its commit for which the slack compensates, in nanoseconds. */
    private final long promptNanos;

    private long tokens;
    /** The time up to which tokens have been added. In the future after {@link #replace} of a fixed window. */
    private long filledAt;

    private long chargedAt;
    private boolean uncommitted;

    /**
     * Creates a bucket that contains one slice.
     *
     * @param max maximum number of tokens per period
     * @param period length of the period in nanoseconds
     * @param slack extension of the period in nanoseconds
     * @param minSlice minimum slice, unless {@code max} is less
     */
    TokenBucket(long max, long period, long slack, long minSlice) {
        tokensPerNano = max / (double) (period + slack) * ROUNDING;
        long minByTime = (long) (tokensPerNano * MIN_SLICE_NANOS);
        slice = Math.min(max, Math.max(Math.max(Math.ceilDiv(max, SLICES_PER_PERIOD), minByTime), minSlice));
        capacity = slice + Math.min(Long.MAX_VALUE - slice, (long) (tokensPerNano * slack / 2));
        nanosToFill = (long) Math.ceil(capacity / tokensPerNano);
        promptNanos = slack / 4;
        tokens = slice;
    }

    /** Creates a bucket for a guaranteed minimum, with the full rate: without slack. */
    static TokenBucket withoutSlack(long max, long period) {
        return new TokenBucket(max, period, 0, TYPICAL_REQUEST_BYTES);
    }

    @Override
    long tokens(long now) {
        fill(now);
        return tokens;
    }

    @Override
    long minGrant(long wanted) {
        return Math.min(wanted, slice);
    }

    private void fill(long now) {
        long elapsed = now - filledAt;
        if (elapsed <= 0) {
            return;
        }
        long added = (long) (elapsed * tokensPerNano);
        if (elapsed >= nanosToFill || added >= capacity - tokens) {
            tokens = capacity;
            filledAt = now;
        } else {
            tokens += added;
            // Advances only by the time in which the added tokens accrue, so that the fraction of a token is not lost.
            filledAt += (long) Math.ceil(added / tokensPerNano);
        }
    }

    @Override
    void charge(long now, long amount) {
        tokens -= amount;
        chargedAt = now;
        uncommitted = true;
    }

    @Override
    void refund(long amount) {
        tokens += amount;
    }

    @Override
    void commit(long now) {
        if (uncommitted) {
            // Adds no tokens for the time from charge to commit, except for promptNanos: otherwise an interval of one
            // period that starts with the commit would get the tokens of a longer time.
            filledAt = Math.max(filledAt, Math.min(now, filledAt + Math.max(0, now - chargedAt - promptNanos)));
            uncommitted = false;
        }
    }

    @Override
    long nextGrantTime(long wanted) {
        long missing = minGrant(wanted) - tokens;
        if (missing <= 0) {
            return filledAt;
        }
        long nanos = (long) Math.ceil(missing / tokensPerNano);
        return filledAt + ((long) (nanos * tokensPerNano) < missing ? nanos + 1 : nanos);
    }

    @Override
    boolean isFull(long now) {
        fill(now);
        return tokens >= slice;
    }

    @Override
    long used(long now) {
        fill(now);
        return Math.max(0, slice - tokens);
    }

    @Override
    void keep(MemorySegment memory, long offset, long clockOffset) {
        memory.set(PERSISTED_LONG, offset, filledAt + clockOffset);
        VarHandle.releaseFence();
        memory.set(PERSISTED_LONG, offset + Long.BYTES, tokens);
    }

    @Override
    void resume(long now, MemorySegment memory, long offset, long clockOffset) {
        long tokensHere = tokens(now);
        long filledHereAt = filledAt;
        filledAt = Math.clamp(memory.get(PERSISTED_LONG, offset) - clockOffset, now - nanosToFill, now);
        tokens = Math.clamp(memory.get(PERSISTED_LONG, offset + Long.BYTES), 0, capacity);
        if (tokens(now) > tokensHere) {
            tokens = tokensHere;
            filledAt = filledHereAt;
        }
    }

    @Override
    void replace(long now, RateLimiter predecessor) {
        filledAt = now;
        if (predecessor instanceof TokenBucket bucket) {
            tokens = Math.min(bucket.tokens(now), capacity);
            filledAt = bucket.filledAt >= now ? bucket.filledAt : now - rescale(now - bucket.filledAt, bucket);
        } else if (predecessor instanceof FixedWindowRateLimiter window) {
            // Adds no token until the time at which the window would have ended.
            tokens = Math.min(window.tokens(now), slice);
            filledAt = Math.max(now, window.nextGrantTime(1));
        }
    }

    /**
     * Returns the time that this bucket needs for the fraction of a token that another bucket has gained in
     * {@code nanos}. Without this fraction, frequent changes of limits would lose all tokens.
     */
    private long rescale(long nanos, TokenBucket other) {
        return (long) (Math.min(1, nanos * other.tokensPerNano) / tokensPerNano);
    }

    @Override
    void restore(long now, long amount) {
        fill(now);
        tokens = Math.max(0, Math.min(tokens, slice) - amount);
    }
}
