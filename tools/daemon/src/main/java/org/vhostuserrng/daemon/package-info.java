/**
 * The daemon's main program: parses the command line, connects transport, device and backends, and stops on a signal.
 */
package org.vhostuserrng.daemon;
