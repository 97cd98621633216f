/** Shutdown, child processes, fonts and the progress bar of the command line tools. */
package org.vhostuserrng.cli.process;
