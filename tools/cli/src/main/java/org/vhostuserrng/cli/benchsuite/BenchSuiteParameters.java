package org.vhostuserrng.cli.benchsuite;

import java.time.Duration;
import java.util.List;

/**
 * Durations and sizes of the measurements.
 *
 * @param rounds number of rounds
 * @param measureTime duration of each measurement
 * @param guests numbers of guests to measure
 */
record BenchSuiteParameters(int rounds, Duration measureTime, List<Integer> guests) {
    private static final int FIRST_WARM_UP_FACTOR = 6;
    private static final int SETTLE_FACTOR = 24;

    /** Warm-up before the first measurement of a load, in which a JVM compiles the code. */
    Duration firstWarmUp() {
        return measureTime.multipliedBy(FIRST_WARM_UP_FACTOR);
    }

    /** Warm-up before later measurements of the load. */
    Duration warmUp() {
        return measureTime.dividedBy(10);
    }

    /** Delay between load and memory measurement, in which a process can release memory. */
    Duration settleTime() {
        return measureTime.multipliedBy(SETTLE_FACTOR);
    }

    int maxGuests() {
        return guests.stream().mapToInt(Integer::intValue).max().orElse(1);
    }
}
