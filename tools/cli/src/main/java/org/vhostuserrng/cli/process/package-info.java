/** What a command line program has to do with its own process. */
package org.vhostuserrng.cli.process;
