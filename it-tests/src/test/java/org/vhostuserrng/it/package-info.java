/**
 * Tests of the packaged daemon from outside: as a VMM sees it, over its socket, guest memory and eventfds, with the
 * independent front-end of {@code org.vhostuserrng.frontend} on the other side; and as an operator sees it: options,
 * signals, files, /proc.
 *
 * <p>The system property {@code vhost-user-rng.program} names the launcher; by default it is the one in the build tree.
 * The rule for timing in tests is in {@code it-tests/README.md}.
 */
package org.vhostuserrng.it;
