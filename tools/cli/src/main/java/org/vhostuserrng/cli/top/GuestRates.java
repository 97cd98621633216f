package org.vhostuserrng.cli.top;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.counters.GuestCounters;
import org.vhostuserrng.cli.counters.LatencyDistribution;

/**
 * The rates of a guest in the interval between two snapshots.
 *
 * @param guest the counters at the end of the interval
 * @param throttledShare the fraction of the interval in which a request waited for a rate limit, 0 to 1
 * @param starvedShare the fraction of the interval in which a request waited for the source, 0 to 1
 * @param latency latencies of the requests in the interval
 */
record GuestRates(
        GuestCounters guest,
        double bytesPerSecond,
        double requestsPerSecond,
        double throttledShare,
        double starvedShare,
        LatencyDistribution latency) {
    private static final double NANOS_PER_SECOND = 1e9;

    /** Returns the rates of all guests; the guest with the most bytes per second is first. */
    static List<GuestRates> between(CountersSnapshot earlier, CountersSnapshot later) {
        Map<String, GuestCounters> before = new HashMap<>();
        earlier.guests().forEach(guest -> before.put(guest.name(), guest));
        double nanos = Math.max(1, later.nanos() - earlier.nanos());
        return later.guests().stream()
                .map(guest -> of(before.get(guest.name()), guest, nanos))
                .sorted(Comparator.comparingDouble(GuestRates::bytesPerSecond)
                        .reversed()
                        .thenComparing(rates -> rates.guest().name()))
                .toList();
    }

    /** Returns the rates of a guest; 0 if the guest was not in the earlier snapshot. */
    private static GuestRates of(GuestCounters before, GuestCounters guest, double nanos) {
        GuestCounters from = before == null ? guest : before;
        double seconds = nanos / NANOS_PER_SECOND;
        return new GuestRates(
                guest,
                increase(from, guest, "bytes") / seconds,
                increase(from, guest, "requests") / seconds,
                Math.min(1, increase(from, guest, "throttled_time") / nanos),
                Math.min(1, increase(from, guest, "starved_time") / nanos),
                guest.latency().since(from.latency()));
    }

    /** Returns the increase of a counter; 0 if the counter was reset. */
    private static double increase(GuestCounters from, GuestCounters to, String field) {
        return Math.max(0, to.values().get(field) - (double) from.values().get(field));
    }
}
