package org.vhostuserrng.daemon;

import java.util.Map;
import org.vhostuserrng.backends.limiter.RateLimitConfig;

/**
 * Rate limits of all guests.
 *
 * @param total limit of all guests together
 * @param byGuest settings of the guests named with {@code --guest}
 * @param defaults settings of all other guests
 */
record RateLimiterSettings(
        RateLimitConfig total, Map<String, GuestRateLimiterSettings> byGuest, GuestRateLimiterSettings defaults) {
    GuestRateLimiterSettings forGuest(String name) {
        return byGuest.getOrDefault(name, defaults);
    }
}
