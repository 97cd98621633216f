/**
 * The command line tools: subcommands of {@link org.vhostuserrng.cli.CliMain}, one package each. The tools run on the
 * class path and in a process of their own: the daemon does not load them.
 */
package org.vhostuserrng.cli;
