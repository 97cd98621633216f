package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.counters.CounterSlot;

/** Tests the buckets of the latency histogram. */
class LatencyHistogramTest {
    private static final int VALUES = 100_000;

    private final CounterSlot slot =
            CounterSlot.ofHeap(VirtioRngDevice.counterFields().size());

    @Test
    void everyTimeIsInTheFirstBucketWhoseBoundIsNotBelowIt() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < VALUES; i++) {
            long nanos = random.nextLong() >>> 1 >>> random.nextInt(63);
            int bucket = LatencyHistogram.bucket(nanos);
            assertTrue(nanos <= LatencyHistogram.upperBoundNanos(bucket), () -> "time " + nanos);
            assertTrue(bucket == 0 || nanos > LatencyHistogram.upperBoundNanos(bucket - 1), () -> "time " + nanos);
        }
    }

    @Test
    void boundsIncrease() {
        for (int bucket = 1; bucket < LatencyHistogram.BUCKETS; bucket++) {
            assertTrue(LatencyHistogram.upperBoundNanos(bucket) > LatencyHistogram.upperBoundNanos(bucket - 1));
        }
        assertEquals(Long.MAX_VALUE, LatencyHistogram.upperBoundNanos(LatencyHistogram.BUCKETS - 1));
    }

    @Test
    void countAndSumCoverAllBuckets() {
        LatencyHistogram histogram = new LatencyHistogram(slot);

        histogram.record(3, 1000);
        histogram.record(1, -5);
        histogram.record(2, Long.MAX_VALUE / 4);

        assertEquals(6, slot.get(GuestCounterField.LATENCY_COUNT.index()));
        assertEquals(3000 + Long.MAX_VALUE / 4 * 2, slot.get(GuestCounterField.LATENCY_SUM.index()));
        assertEquals(4, slot.get(GuestCounterField.FIRST_LATENCY_BUCKET));
        assertEquals(2, slot.get(GuestCounterField.FIRST_LATENCY_BUCKET + LatencyHistogram.BUCKETS - 1));
    }
}
