package org.vhostuserrng.cli.top;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.counters.GuestCounters;
import org.vhostuserrng.cli.counters.LatencyDistribution;

/**
 * What a guest received between two snapshots.
 *
 * @param guest the counters at the end of the interval
 * @param latency of the requests in the interval
 */
record GuestRates(
        GuestCounters guest,
        double bytesPerSecond,
        double requestsPerSecond,
        double throttledShare,
        double starvedShare,
        LatencyDistribution latency) {
    private static final double NANOS_PER_SECOND = 1e9;

    /** The rates of all guests, those with the most bytes per second first. */
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

    /** A guest that was not in the earlier snapshot has no rates yet. */
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

    /** The increase of a counter; 0 if it has begun anew. */
    private static double increase(GuestCounters from, GuestCounters to, String field) {
        return Math.max(0, to.values().get(field) - (double) from.values().get(field));
    }
}
