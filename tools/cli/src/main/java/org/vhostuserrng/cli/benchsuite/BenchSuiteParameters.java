package org.vhostuserrng.cli.benchsuite;

import java.time.Duration;
import java.util.List;

/**
 * How long everything is measured.
 *
 * @param rounds how often each back-end has its turn
 * @param measured time of each measurement
 * @param guests numbers of guests
 */
record BenchSuiteParameters(int rounds, Duration measureTime, List<Integer> guests) {
    private static final int FIRST_WARM_UP_FACTOR = 6;
    private static final int SETTLE_FACTOR = 24;

    /** Before the first measurement of a load: a JVM compiles what it will run. */
    Duration firstWarmUp() {
        return measureTime.multipliedBy(FIRST_WARM_UP_FACTOR);
    }

    /** Before the others. */
    Duration warmUp() {
        return measureTime.dividedBy(10);
    }

    /** After load, before a process's memory is looked at: it gives back what it does not need. */
    Duration settleTime() {
        return measureTime.multipliedBy(SETTLE_FACTOR);
    }

    int maxGuests() {
        return guests.stream().mapToInt(Integer::intValue).max().orElse(1);
    }
}
