package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A rate limit with consecutive windows of fixed length, each with the same maximum. As in QEMU's
 * hw/virtio/virtio-rng.c, a window starts with the first charge after the previous one has ended. Unlike in QEMU, the
 * length of a window is measured from the commit, when the guest can see the data, and an amount that was charged in
 * one window, but committed in the next, counts in the next.
 */
final class FixedWindowRateLimiter extends RateLimiter {
    private final long max;
    private final long length;
    private long end;
    private long used;
    /** Whether the window has started after the last commit. */
    private boolean started;

    private long uncommitted;

    /**
     * Creates a limit before its first window.
     *
     * @param max maximum amount per window
     * @param length length of a window in nanoseconds, at least 1
     */
    FixedWindowRateLimiter(long max, long length) {
        this.max = max;
        this.length = length;
    }

    @Override
    long tokens(long now) {
        return now >= end ? max : Math.max(0, max - used);
    }

    @Override
    long minGrant(long wanted) {
        return 1;
    }

    @Override
    void charge(long now, long amount) {
        if (now >= end) {
            start(now, 0);
            started = true;
        }
        used += amount;
        uncommitted += amount;
    }

    @Override
    void refund(long amount) {
        used -= amount;
        uncommitted -= amount;
        if (started && used == 0) {
            end -= length;
            started = false;
        }
    }

    @Override
    void commit(long now) {
        if (uncommitted > 0 && (started || now >= end)) {
            start(now, uncommitted);
        }
        started = false;
        uncommitted = 0;
    }

    private void start(long now, long amount) {
        end = now + length;
        used = amount;
    }

    @Override
    long nextGrantTime(long wanted) {
        return end;
    }

    @Override
    boolean isFull(long now) {
        return now >= end;
    }

    @Override
    long used(long now) {
        return now >= end ? 0 : used;
    }

    @Override
    void keep(MemorySegment memory, long offset, long clockOffset) {
        memory.set(PERSISTED_LONG, offset, end + clockOffset);
        VarHandle.releaseFence();
        memory.set(PERSISTED_LONG, offset + Long.BYTES, used);
    }

    @Override
    void resume(long now, MemorySegment memory, long offset, long clockOffset) {
        long persistedEnd = Math.min(memory.get(PERSISTED_LONG, offset) - clockOffset, now + length);
        long persistedUsed = Math.clamp(memory.get(PERSISTED_LONG, offset + Long.BYTES), 0, max);
        if (persistedEnd > end || (persistedEnd == end && persistedUsed > used)) {
            end = persistedEnd;
            used = persistedUsed;
        }
    }

    @Override
    void replace(long now, RateLimiter predecessor) {
        if (predecessor instanceof FixedWindowRateLimiter window) {
            used = window.used(now);
            end = window.length == length || now >= window.end ? window.end : now + length;
        } else if (predecessor instanceof TokenBucket bucket) {
            start(now, max - Math.min(max, bucket.tokens(now)));
            end = Math.max(end, bucket.nextGrantTime(1));
        }
    }

    @Override
    void restore(long now, long amount) {
        if (amount > 0) {
            long before = used(now);
            start(now, before + Math.min(amount, Math.max(0, max - before)));
        }
    }
}
