package org.vhostuserrng.backends.limiter;

import java.util.concurrent.TimeUnit;

/**
 * An even pace: a store that fills at a steady rate and holds a slice. Any time as long as a period gives out at most
 * what was in store when it began, a slice, and what has come since, max.
 *
 * <p>The rate is max in a period and its slack, which pays for what makes things look more in a period than they are:
 * a quarter for the time until what was charged can be seen, a quarter for a guest that looks at its clock late, and
 * half, which the store may hold more, for a timer that rings late.
 */
final class TokenBucket extends RateLimit {
    private static final int SLICES_A_PERIOD = 64;
    /** A timer rings up to a millisecond late: what comes until then has to fit. */
    private static final long SHORTEST_SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    /** More than all rounding of the rate and with it: never a unit too early. */
    private static final double ROUNDING = 1 - 0x1p-40;

    private final double perNano;
    private final long slice;
    private final long depth;
    private final long nanosToFill;
    private final long promptNanos;
    private long level;
    private long filledAt;
    private long chargedAt;
    private boolean unsettled;

    /**
     * A store that holds a slice.
     *
     * @param max in a period
     * @param period nanoseconds
     * @param slack nanoseconds
     * @param least the smallest slice, unless max is less
     */
    TokenBucket(long max, long period, long slack, long least) {
        perNano = max / (double) (period + slack) * ROUNDING;
        long shortest = (long) (perNano * SHORTEST_SLICE_NANOS);
        slice = Math.min(max, Math.max(Math.max(Math.ceilDiv(max, SLICES_A_PERIOD), shortest), least));
        depth = slice + Math.min(Long.MAX_VALUE - slice, (long) (perNano * slack / 2));
        nanosToFill = (long) Math.ceil(depth / perNano);
        promptNanos = slack / 4;
        level = slice;
    }

    /** Bytes in a period, no less: for a promise, not for a limit. */
    static TokenBucket exactly(long max, long period) {
        return new TokenBucket(max, period, 0, TYPICAL_REQUEST);
    }

    @Override
    long inStore(long now) {
        fill(now);
        return level;
    }

    @Override
    long worthwhile(long wanted) {
        return Math.min(wanted, slice);
    }

    private void fill(long now) {
        long elapsed = now - filledAt;
        if (elapsed <= 0) {
            return;
        }
        long come = (long) (elapsed * perNano);
        if (elapsed >= nanosToFill || come >= depth - level) {
            level = depth;
            filledAt = now;
        } else {
            level += come;
            // The time that it took to come, so that what is left of a unit is not lost.
            filledAt += (long) Math.ceil(come / perNano);
        }
    }

    @Override
    void charge(long now, long amount) {
        level -= amount;
        chargedAt = now;
        unsettled = true;
    }

    @Override
    void settle(long now) {
        if (unsettled) {
            // Until it can be seen nothing comes: else a period that begins then would see what came in more than one.
            filledAt = Math.min(now, filledAt + Math.max(0, now - chargedAt - promptNanos));
            unsettled = false;
        }
    }

    @Override
    long nextRefill(long wanted) {
        long missing = worthwhile(wanted) - level;
        if (missing <= 0) {
            return filledAt;
        }
        long nanos = (long) Math.ceil(missing / perNano);
        return filledAt + ((long) (nanos * perNano) < missing ? nanos + 1 : nanos);
    }

    @Override
    boolean isFull(long now) {
        fill(now);
        return level >= slice;
    }

    @Override
    long charged(long now) {
        fill(now);
        return Math.max(0, slice - level);
    }

    @Override
    void restore(long now, long amount) {
        fill(now);
        level = Math.max(0, Math.min(level, slice) - amount);
    }
}
