package org.vhostuserrng.daemon;

import java.util.List;
import java.util.Map;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;

/**
 * The rate limits of all guests.
 *
 * @param total the limit of all guests together
 * @param byGuest by name, the settings of guests that have settings of their own
 * @param defaults the settings of all other guests
 */
record RateLimiterSettings(
        RateLimitConfig total, Map<String, GuestRateLimiterSettings> byGuest, GuestRateLimiterSettings defaults) {
    GuestRateLimiterSettings forGuest(String name) {
        return byGuest.getOrDefault(name, defaults);
    }

    /** Returns a warning about guests that cannot use all of {@code min-bytes}; null if there are none. */
    String minBytesWarning() {
        boolean hasTotal = total.maxBytes() != GuestRateLimiter.UNLIMITED;
        List<String> names = byGuest.entrySet().stream()
                .filter(guest ->
                        guest.getValue().share().minBytes() > 0 && (!hasTotal || exceedsOwnLimit(guest.getValue())))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
        if (names.isEmpty()) {
            return null;
        }
        String guests = names.getFirst() + (names.size() == 1 ? "" : " and " + (names.size() - 1) + " more guests");
        String reason =
                hasTotal ? " exceeds the guest's own limit" : " has no effect without " + DaemonOptions.TOTAL_MAX_BYTES;
        return guests + ": " + GuestOptions.MIN_BYTES + reason;
    }

    private boolean exceedsOwnLimit(GuestRateLimiterSettings guest) {
        // As double, because the products may exceed 2^63.
        return guest.limits().maxBytes() != GuestRateLimiter.UNLIMITED
                && (double) guest.share().minBytes() * guest.limits().periodMillis()
                        > (double) guest.limits().maxBytes() * total.periodMillis();
    }
}
