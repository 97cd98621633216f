package org.vhostuserrng.cli.benchsuite;

import java.time.Duration;
import java.util.List;

/**
 * Durations and sizes of the measurements.
 *
 * @param rounds how often each measurement is repeated
 * @param measureTime duration of each measurement
 * @param guests numbers of guests to measure
 */
record BenchSuiteParameters(int rounds, Duration measureTime, List<Integer> guests) {
    private static final int FIRST_WARM_UP_FACTOR = 6;
    private static final int SETTLE_FACTOR = 24;

    /** Duration of the warm-up before the first measurement of a load: a JVM compiles its code during that time. */
    Duration firstWarmUp() {
        return measureTime.multipliedBy(FIRST_WARM_UP_FACTOR);
    }

    /** Duration of the warm-up before later measurements of the same load. */
    Duration warmUp() {
        return measureTime.dividedBy(10);
    }

    /** Delay between the load and the measurement of memory, so that a process can release memory. */
    Duration settleTime() {
        return measureTime.multipliedBy(SETTLE_FACTOR);
    }

    int maxGuests() {
        return guests.stream().mapToInt(Integer::intValue).max().orElse(1);
    }
}
