package org.vhostuserrng.cli.counters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Tests the quantiles of a latency. */
class LatencyDistributionTest {
    private static final long[] BOUNDS = {1000, 2000, 4000, Long.MAX_VALUE};
    private static final int RUNS = 1000;

    @Test
    void quantileIsTheBoundOfItsRange() {
        LatencyDistribution latency = new LatencyDistribution(BOUNDS, new long[] {50, 49, 0, 1});

        assertEquals(1000, latency.quantileNanos(0.5));
        assertEquals(2000, latency.quantileNanos(0.99));
        assertEquals(Long.MAX_VALUE, latency.quantileNanos(1));
    }

    @Test
    void noRequestsHaveNoQuantile() {
        assertEquals(0, new LatencyDistribution(BOUNDS, new long[4]).quantileNanos(0.5));
    }

    @Test
    void quantileIsNotBelowTheExactOneAndInTheSameRange() {
        SplittableRandom random = new SplittableRandom(2);
        for (int run = 0; run < RUNS; run++) {
            long[] times =
                    random.longs(1 + random.nextInt(100), 1, 8000).sorted().toArray();
            long[] counts = new long[BOUNDS.length];
            Arrays.stream(times).forEach(time -> counts[range(time)]++);
            double quantile = 1 - random.nextDouble();

            long estimate = new LatencyDistribution(BOUNDS, counts).quantileNanos(quantile);

            long exact = times[(int) Math.ceil(times.length * quantile) - 1];
            assertTrue(exact <= estimate, () -> exact + " " + estimate);
            assertEquals(BOUNDS[range(exact)], estimate);
        }
    }

    private static int range(long nanos) {
        int range = 0;
        while (nanos > BOUNDS[range]) {
            range++;
        }
        return range;
    }

    @Test
    void countersThatHaveBegunAnewAreNotSubtracted() {
        LatencyDistribution before = new LatencyDistribution(BOUNDS, new long[] {5, 0, 0, 0});
        LatencyDistribution after = new LatencyDistribution(BOUNDS, new long[] {1, 1, 0, 0});

        assertEquals(2, after.since(before).total());
    }
}
