/**
 * Rate limits of one guest and of all guests: {@link org.vhostuserrng.backends.limiter.GuestRateLimiter} charges a
 * guest's requests to the guest's own limits, and {@link org.vhostuserrng.backends.limiter.DeficitRoundRobin} divides
 * the total among the guests.
 *
 * <p>Threading: all types are confined to the event loop's thread. The current time is always a parameter; no type of
 * this package waits or reads a clock.
 *
 * <p>Depends on no other package of this module.
 */
package org.vhostuserrng.backends.limiter;
