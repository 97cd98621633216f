package org.vhostuserrng.backends.limiter;

import java.lang.foreign.MemorySegment;

/** A rate limiter without a limit. */
final class UnlimitedRateLimiter extends RateLimiter {
    static final UnlimitedRateLimiter INSTANCE = new UnlimitedRateLimiter();

    private UnlimitedRateLimiter() {}

    @Override
    long tokens(long now) {
        return GuestRateLimiter.UNLIMITED;
    }

    @Override
    long minGrant(long wanted) {
        return 1;
    }

    @Override
    void charge(long now, long amount) {
        // Not counted.
    }

    @Override
    void refund(long amount) {
        // Not counted.
    }

    @Override
    void commit(long now) {
        // Not counted.
    }

    @Override
    long nextGrantTime(long wanted) {
        return 0;
    }

    @Override
    boolean isFull(long now) {
        return true;
    }

    @Override
    long used(long now) {
        return 0;
    }

    @Override
    void keep(MemorySegment memory, long offset, long clockOffset) {
        // There is no state.
    }

    @Override
    void resume(long now, MemorySegment memory, long offset, long clockOffset) {
        // There is no state.
    }

    @Override
    void replace(long now, RateLimiter predecessor) {
        // There is no state.
    }

    @Override
    void restore(long now, long amount) {
        // Not counted.
    }
}
