package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.DrrGuestConfig;
import org.vhostuserrng.backends.RateLimitConfig;

/**
 * What a guest may have.
 *
 * @param limits of its own
 * @param claim to what all guests share
 */
record GuestRateLimiterSettings(RateLimitConfig limits, DrrGuestConfig claim) {}
