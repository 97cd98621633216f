/**
 * The command line tools, as subcommands of {@link org.vhostuserrng.cli.CliMain}; one package per subcommand. They run
 * on the class path, in a process of their own: the daemon does not load them.
 */
package org.vhostuserrng.cli;
