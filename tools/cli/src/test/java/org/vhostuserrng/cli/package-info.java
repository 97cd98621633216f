/** Unit tests of the command line tools. Tests with a running daemon are in the module it-tests. */
package org.vhostuserrng.cli;
