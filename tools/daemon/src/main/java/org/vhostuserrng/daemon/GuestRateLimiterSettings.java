package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.RateLimitConfig;

/**
 * The rate limit settings of one guest.
 *
 * @param limits the guest's own rate limit
 * @param share the guest's weight and guaranteed minimum when guests compete for the total or for a slow source
 */
record GuestRateLimiterSettings(RateLimitConfig limits, DrrGuestConfig share) {
    /** No limit and the default share. */
    static final GuestRateLimiterSettings NONE =
            new GuestRateLimiterSettings(RateLimitConfig.NONE, DrrGuestConfig.DEFAULT);
}
