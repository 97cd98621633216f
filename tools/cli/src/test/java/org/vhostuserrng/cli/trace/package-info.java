/** Tests of the proxy without a daemon: both sides are played by the tests. */
package org.vhostuserrng.cli.trace;
