package org.vhostuserrng.daemon;

import java.util.Map;
import org.vhostuserrng.backends.limiter.RateLimitConfig;

/**
 * How much guests may have.
 *
 * @param total of all guests together
 * @param named the terms of guests that have their own, by name
 * @param others the terms of all others
 */
record RateLimiterSettings(
        RateLimitConfig total, Map<String, GuestRateLimiterSettings> named, GuestRateLimiterSettings others) {
    GuestRateLimiterSettings of(String guest) {
        return named.getOrDefault(guest, others);
    }
}
