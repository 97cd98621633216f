package org.vhostuserrng.backends.limiter;

/**
 * Windows of time, one after the other, each with its own amount. As in QEMU's hw/virtio/virtio-rng.c a window begins
 * with what is first charged after the last one ended; unlike there it begins when that can be seen, and what is charged
 * in one window but seen in the next counts in the next.
 */
final class FixedWindowCounter extends RateLimit {
    private final long max;
    private final long length;
    private long end;
    private long used;
    private boolean begun;
    private long unsettled;

    /**
     * A first window that has not begun.
     *
     * @param length nanoseconds, at least 1
     */
    FixedWindowCounter(long max, long length) {
        this.max = max;
        this.length = length;
    }

    @Override
    long inStore(long now) {
        return now >= end ? max : max - used;
    }

    @Override
    long worthwhile(long wanted) {
        return 1;
    }

    @Override
    void charge(long now, long amount) {
        if (now >= end) {
            begin(now, 0);
            begun = true;
        }
        used += amount;
        unsettled += amount;
    }

    @Override
    void settle(long now) {
        if (unsettled > 0 && (begun || now >= end)) {
            begin(now, unsettled);
        }
        begun = false;
        unsettled = 0;
    }

    private void begin(long now, long amount) {
        end = now + length;
        used = amount;
    }

    @Override
    long nextRefill(long wanted) {
        return end;
    }

    @Override
    boolean isFull(long now) {
        return now >= end;
    }

    @Override
    long charged(long now) {
        return now >= end ? 0 : used;
    }

    @Override
    void restore(long now, long amount) {
        if (amount > 0) {
            long before = charged(now);
            begin(now, before + Math.min(amount, max - before));
        }
    }
}
