package org.vhostuserrng.cli.periodstudy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The number of bytes that one guest received in each interval since its first byte.
 *
 * @param name label of the series: the rate limit or the socket
 * @param bytes number of bytes, by interval
 */
record GuestThroughputSeries(String name, List<Long> bytes) {
    static final int INTERVAL_MILLIS = 100;
    static final int INTERVALS_PER_SECOND = 1000 / INTERVAL_MILLIS;

    private static final double MB = 1e6;

    /** Returns the start times of the intervals in seconds. */
    double[] seconds() {
        double[] seconds = new double[bytes.size()];
        Arrays.setAll(seconds, i -> (double) i / INTERVALS_PER_SECOND);
        return seconds;
    }

    /** Returns the megabytes (10^6 bytes) received in each interval. */
    double[] megabytes() {
        return stream().mapToDouble(each -> each / MB).toArray();
    }

    double peakMegabytes() {
        return stream().max().orElse(0) / MB;
    }

    double megabytesPerSecond() {
        return stream().sum() / MB * INTERVALS_PER_SECOND / bytes.size();
    }

    /** Returns the fraction of intervals without any byte, 0 to 1. */
    double idleShare() {
        return (double) stream().filter(each -> each == 0).count() / bytes.size();
    }

    private LongStream stream() {
        return bytes.stream().mapToLong(Long::longValue);
    }
}
