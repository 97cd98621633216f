/** The log of the daemon: an SLF4J provider whose level changes while the daemon runs. */
package org.vhostuserrng.daemon.log;
