/** The command line programs around the daemon, as subcommands of one. They run on the class path. */
package org.vhostuserrng.cli;
