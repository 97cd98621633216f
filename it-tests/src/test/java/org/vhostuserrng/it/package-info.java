/**
 * Tests of the packaged daemon from outside. They check the behaviour that a VMM sees, over socket, guest memory and
 * eventfds, with the independent front-end of {@code org.vhostuserrng.frontend}. They also check the behaviour that an
 * operator sees: options, signals, files, /proc.
 *
 * <p>The system property {@code vhost-user-rng.program} names the launcher; by default it is the launcher in the build
 * tree. The rule for timing in tests is in {@code it-tests/README.md}.
 */
package org.vhostuserrng.it;
