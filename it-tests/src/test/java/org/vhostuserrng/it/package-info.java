/**
 * The packaged daemon as a VMM sees it: over its socket, guest memory and eventfds, with the independent front-end of
 * {@code org.vhostuserrng.frontend} on the other side, and as its operator sees it: options, signals, files, /proc.
 *
 * <p>The system property {@code vhost-user-rng.program} names the launcher; without it the one in the build tree is
 * taken.
 */
package org.vhostuserrng.it;
