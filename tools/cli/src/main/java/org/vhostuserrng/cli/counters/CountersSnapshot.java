package org.vhostuserrng.cli.counters;

import java.time.Instant;
import java.util.List;

/**
 * The values of a counters file at one time. Each value is consistent, but two values may include different requests.
 *
 * @param time time at which the file was read
 * @param nanos the same time in nanoseconds of CLOCK_MONOTONIC
 * @param running whether the daemon runs
 * @param pid process ID of the daemon that wrote the file last
 * @param started time at which that daemon started
 * @param startedNanos the same time in nanoseconds of CLOCK_MONOTONIC
 * @param restarts how often a daemon has continued the file of an earlier process
 * @param stopped whether the daemon ended in an orderly way
 * @param guests the guests that the daemon serves
 */
public record CountersSnapshot(
        Instant time,
        long nanos,
        boolean running,
        long pid,
        Instant started,
        long startedNanos,
        long restarts,
        boolean stopped,
        CounterValues daemon,
        List<GuestCounters> guests) {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    /** The number of guests whose front-end is connected. */
    public long connectedGuests() {
        return guests.stream().filter(GuestCounters::isConnected).count();
    }

    /** Returns how long the daemon has been running, in seconds, if it runs. */
    public long uptimeSeconds() {
        return Math.max(0, nanos - startedNanos) / NANOS_PER_SECOND;
    }
}
