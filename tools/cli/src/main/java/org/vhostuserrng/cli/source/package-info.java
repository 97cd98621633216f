/** Access to entropy sources for tools, which, unlike the daemon's event loop, may block. */
package org.vhostuserrng.cli.source;
