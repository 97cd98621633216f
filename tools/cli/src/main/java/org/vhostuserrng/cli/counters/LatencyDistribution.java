package org.vhostuserrng.cli.counters;

import java.util.Arrays;

/**
 * The number of requests per range of latency.
 *
 * @param bounds upper bounds of the ranges in nanoseconds, increasing; the last range has no upper bound
 * @param counts number of requests in each range, at least 0
 */
@SuppressWarnings("ArrayRecordComponent")
public record LatencyDistribution(long[] bounds, long[] counts) {
    /** Number of all requests. */
    public long total() {
        return Arrays.stream(counts).sum();
    }

    /** Returns the requests since an earlier snapshot; all requests if that snapshot is not of the same file. */
    public LatencyDistribution since(LatencyDistribution earlier) {
        if (!Arrays.equals(bounds, earlier.bounds)) {
            return this;
        }
        long[] difference = new long[counts.length];
        for (int i = 0; i < counts.length; i++) {
            difference[i] = counts[i] - earlier.counts[i];
            if (difference[i] < 0) {
                return this;
            }
        }
        return new LatencyDistribution(bounds, difference);
    }

    /**
     * Returns the upper bound of the range that contains a quantile.
     *
     * @param quantile more than 0, at most 1
     * @return the bound in nanoseconds; {@link Long#MAX_VALUE} for the last range; 0 if there are no requests
     */
    public long quantileNanos(double quantile) {
        double wanted = total() * quantile;
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (counts[i] > 0 && seen >= wanted) {
                return bounds[i];
            }
        }
        return 0;
    }
}
