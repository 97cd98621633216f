/**
 * Tests of the packaged daemon from outside. They check what a VMM sees through socket, guest memory and eventfds, with
 * the independent front-end of {@code org.vhostuserrng.frontend}. They also check what an operator sees: options,
 * signals, files, /proc.
 *
 * <p>The system property {@code vhost-user-rng.program} is the path of the launcher; the default is the launcher in the
 * build tree. {@code it-tests/README.md} has the rules for timing in tests.
 */
package org.vhostuserrng.it;
