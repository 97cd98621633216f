package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.RateLimitConfig;

/**
 * What a guest may have.
 *
 * @param limits of its own
 * @param claim to what all guests share
 */
record GuestRateLimiterSettings(RateLimitConfig limits, DrrGuestConfig claim) {}
