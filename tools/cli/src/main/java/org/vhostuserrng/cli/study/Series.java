package org.vhostuserrng.cli.study;

import java.util.Arrays;

/**
 * What one guest got, in each of the intervals since its first byte.
 *
 * @param name what limited it
 * @param bytes of each interval
 */
record Series(String name, long[] bytes) {
    static final int INTERVAL_MILLIS = 100;
    static final int INTERVALS_A_SECOND = 1000 / INTERVAL_MILLIS;

    private static final double MB = 1e6;

    /** Seconds at which each interval begins. */
    double[] seconds() {
        double[] seconds = new double[bytes.length];
        Arrays.setAll(seconds, i -> (double) i / INTERVALS_A_SECOND);
        return seconds;
    }

    /** Millions of bytes of each interval. */
    double[] megabytes() {
        return Arrays.stream(bytes).mapToDouble(each -> each / MB).toArray();
    }

    double largestMegabytes() {
        return Arrays.stream(bytes).max().orElse(0) / MB;
    }

    double megabytesPerSecond() {
        return Arrays.stream(bytes).sum() / MB * INTERVALS_A_SECOND / bytes.length;
    }

    /** Share of the intervals in which nothing came. */
    double idle() {
        return (double) Arrays.stream(bytes).filter(each -> each == 0).count() / bytes.length;
    }
}
