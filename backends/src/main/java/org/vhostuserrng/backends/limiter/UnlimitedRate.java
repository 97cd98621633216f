package org.vhostuserrng.backends.limiter;

/** All that is wanted, at any time. */
final class UnlimitedRate extends RateLimit {
    static final UnlimitedRate INSTANCE = new UnlimitedRate();

    private UnlimitedRate() {}

    @Override
    long inStore(long now) {
        return GuestRateLimiter.UNLIMITED;
    }

    @Override
    long worthwhile(long wanted) {
        return 1;
    }

    @Override
    void charge(long now, long amount) {
        // Nothing to remember.
    }

    @Override
    void settle(long now) {
        // Nothing was charged.
    }

    @Override
    long nextRefill(long wanted) {
        return 0;
    }

    @Override
    boolean isFull(long now) {
        return true;
    }

    @Override
    long charged(long now) {
        return 0;
    }

    @Override
    void restore(long now, long amount) {
        // Without a limit nothing counts against it.
    }
}
