package org.vhostuserrng.cli.counters;

import java.time.Instant;
import java.util.List;

/**
 * A counters file at one moment. Each value is valid; values that change together may be of different requests.
 *
 * @param time when it was read
 * @param nanos the same by CLOCK_MONOTONIC
 * @param running whether the daemon runs
 * @param pid of the daemon that wrote the file last
 * @param started when that daemon started
 * @param startedNanos the same by CLOCK_MONOTONIC
 * @param restarts how often a daemon continued the file
 * @param stopped whether the daemon ended in order
 * @param guests that the daemon serves
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

    /** The daemon's health; unknown if it does not run. */
    public DaemonHealthState health() {
        return running ? DaemonHealthState.of(daemon.get("health")) : DaemonHealthState.UNKNOWN;
    }

    /** How long the daemon has been running, if it runs; seconds. */
    public long uptimeSeconds() {
        return Math.max(0, nanos - startedNanos) / NANOS_PER_SECOND;
    }
}
