package org.vhostuserrng.cli.suite;

import java.time.Duration;
import java.util.List;

/**
 * How long everything is measured.
 *
 * @param rounds how often each back-end has its turn
 * @param measured time of each measurement
 * @param settle time after which a process's memory is looked at
 * @param guests numbers of guests
 */
record Pace(int rounds, Duration measured, Duration settle, List<Integer> guests) {
    private static final int LONG_WARM_UP = 3;

    /** Before the first measurement of a load: a JVM compiles what it will run. */
    Duration firstWarmUp() {
        return measured.multipliedBy(LONG_WARM_UP);
    }

    /** Before the others. */
    Duration warmUp() {
        return measured.dividedBy(10);
    }

    int mostGuests() {
        return guests.stream().mapToInt(Integer::intValue).max().orElse(1);
    }
}
