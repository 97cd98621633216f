/**
 * Where random bytes come from, and how many of them a guest may have in a time.
 *
 * <p>A {@link org.vhostuserrng.backends.SourceSpec} is what {@code --source} says; opened, it is an
 * {@link org.vhostuserrng.backends.EntropySource}, which fills memory or says "not now". A
 * {@link org.vhostuserrng.backends.Quota} counts bytes against time that it is given. Neither waits, and neither knows
 * of guests or sockets. Everything is confined to the thread that serves guests, but where a type says otherwise.
 */
package org.vhostuserrng.backends;
