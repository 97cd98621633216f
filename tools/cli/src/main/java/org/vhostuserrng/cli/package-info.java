/**
 * The command line tools, as subcommands of {@link org.vhostuserrng.cli.CliMain}; one package per subcommand. The tools
 * run on the class path and in a separate process: the daemon does not load them.
 */
package org.vhostuserrng.cli;
