package org.vhostuserrng.cli.periodstudy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What one guest got, in each of the intervals since its first byte.
 *
 * @param name what limited it
 * @param bytes of each interval
 */
record GuestThroughputSeries(String name, List<Long> bytes) {
    static final int INTERVAL_MILLIS = 100;
    static final int INTERVALS_PER_SECOND = 1000 / INTERVAL_MILLIS;

    private static final double MB = 1e6;

    /** Seconds at which each interval begins. */
    double[] seconds() {
        double[] seconds = new double[bytes.size()];
        Arrays.setAll(seconds, i -> (double) i / INTERVALS_PER_SECOND);
        return seconds;
    }

    /** Millions of bytes of each interval. */
    double[] megabytes() {
        return stream().mapToDouble(each -> each / MB).toArray();
    }

    double peakMegabytes() {
        return stream().max().orElse(0) / MB;
    }

    double megabytesPerSecond() {
        return stream().sum() / MB * INTERVALS_PER_SECOND / bytes.size();
    }

    /** Share of the intervals in which nothing came. */
    double idleShare() {
        return (double) stream().filter(each -> each == 0).count() / bytes.size();
    }

    private LongStream stream() {
        return bytes.stream().mapToLong(Long::longValue);
    }
}
