/**
 * Where random bytes come from, and how many of them a guest may have in a time.
 *
 * <p>A {@link org.vhostuserrng.backends.EntropySourceSpec} is what {@code --source} says; opened, it is an
 * {@link org.vhostuserrng.backends.EntropySource}, which fills memory or says "not now". A
 * {@link org.vhostuserrng.backends.GuestRateLimiter} counts what one guest has against time that it is given, a
 * {@link org.vhostuserrng.backends.DeficitRoundRobin} divides among the guests what is too little for all. None of them waits,
 * and none knows of guests' memory or sockets. Everything is confined to the thread that serves guests, but where a type
 * says otherwise.
 */
package org.vhostuserrng.backends;
