/**
 * Rate limits of one guest and of all guests: {@link org.vhostuserrng.backends.limiter.GuestRateLimiter} charges a
 * guest's requests to its own limits, {@link org.vhostuserrng.backends.limiter.DeficitRoundRobin} divides the total
 * among the guests.
 *
 * <p>Threading: confined to the event loop's thread. The current time is always a parameter; nothing here waits or
 * reads a clock.
 *
 * <p>Depends on no other package of this module.
 */
package org.vhostuserrng.backends.limiter;
