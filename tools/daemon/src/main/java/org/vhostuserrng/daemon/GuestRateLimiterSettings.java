package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.RateLimitConfig;

/**
 * One guest's bandwidth.
 *
 * @param limits the guest's own rate limit
 * @param share its weight and reservation where guests compete for the total or for a slow source
 */
record GuestRateLimiterSettings(RateLimitConfig limits, DrrGuestConfig share) {}
