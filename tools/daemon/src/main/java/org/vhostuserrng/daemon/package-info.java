/** The daemon's main: reads the command line, composes transport, device and backends, and ends on a signal. */
package org.vhostuserrng.daemon;
