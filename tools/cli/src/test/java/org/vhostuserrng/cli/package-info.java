/** Unit tests of the command line tools. Tests with a running daemon are in it-tests. */
package org.vhostuserrng.cli;
