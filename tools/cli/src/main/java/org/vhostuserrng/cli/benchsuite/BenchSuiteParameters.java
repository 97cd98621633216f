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
record BenchSuiteParameters(int rounds, Duration measured, List<Integer> guests) {
    private static final int LONG_WARM_UP = 6;
    private static final int LONG_SETTLE = 24;

    /** Before the first measurement of a load: a JVM compiles what it will run. */
    Duration firstWarmUp() {
        return measured.multipliedBy(LONG_WARM_UP);
    }

    /** Before the others. */
    Duration warmUp() {
        return measured.dividedBy(10);
    }

    /** After load, before a process's memory is looked at: it gives back what it does not need. */
    Duration settle() {
        return measured.multipliedBy(LONG_SETTLE);
    }

    int mostGuests() {
        return guests.stream().mapToInt(Integer::intValue).max().orElse(1);
    }
}
