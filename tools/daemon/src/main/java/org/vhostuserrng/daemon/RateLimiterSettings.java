package org.vhostuserrng.daemon;

import java.util.Map;
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
}
