package org.vhostuserrng.device.rng;

import org.vhostuserrng.transport.counters.CounterSlot;

/**
 * Counts requests by the time that the device needed to serve them, in the guest's slot of the counters file. The upper
 * bounds of the buckets are powers of two in nanoseconds, from 1.024 µs to 8.6 s. Confined to the loop's thread.
 */
final class LatencyHistogram {
    private static final int FIRST_BOUND_LOG2 = 10;
    private static final int LAST_BOUND_LOG2 = 33;
    /** Number of buckets: one per upper bound, and one for longer times. */
    static final int BUCKETS = LAST_BOUND_LOG2 - FIRST_BOUND_LOG2 + 2;

    private static final int FIRST_FIELD = GuestCounterField.FIRST_LATENCY_BUCKET;

    private final CounterSlot slot;

    LatencyHistogram(CounterSlot slot) {
        this.slot = slot;
    }

    /** Returns the upper bound of a bucket in nanoseconds, inclusive. */
    static long upperBoundNanos(int bucket) {
        return bucket == BUCKETS - 1 ? Long.MAX_VALUE : 1L << (FIRST_BOUND_LOG2 + bucket);
    }

    /** Returns the index of the bucket for a time. */
    static int bucket(long nanos) {
        int log2RoundedUp = nanos <= 1 ? 0 : Long.SIZE - Long.numberOfLeadingZeros(nanos - 1);
        return Math.clamp(log2RoundedUp - FIRST_BOUND_LOG2, 0, BUCKETS - 1);
    }

    /**
     * Counts requests that the device served together.
     *
     * @param nanos the time of each request; a negative time counts as 0
     */
    void record(long requests, long nanos) {
        long time = Math.max(0, nanos);
        add(FIRST_FIELD + bucket(time), requests);
        add(GuestCounterField.LATENCY_SUM.index(), requests * time);
        add(GuestCounterField.LATENCY_COUNT.index(), requests);
    }

    private void add(int field, long amount) {
        slot.set(field, slot.get(field) + amount);
    }
}
