/**
 * Reads the daemon's counters file. Independent of the daemon's writer: implements {@code COUNTERS.md}, and finds all
 * values in the table of fields that is part of the file. The file may be damaged, or a hostile process may have
 * written it.
 */
package org.vhostuserrng.cli.counters;
