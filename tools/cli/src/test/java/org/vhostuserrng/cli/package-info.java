/** The command line programs' own logic; what they do to a daemon is tested from outside, in it-tests. */
package org.vhostuserrng.cli;
