/** Reads entropy sources for the tools, which may block, unlike the daemon's event loop. */
package org.vhostuserrng.cli.source;
