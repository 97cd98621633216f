/**
 * Reads the daemon's counters file. Independent of the daemon's writer: knows the layout from {@code COUNTERS.md} only,
 * and finds all values by the file's own description. The file may be damaged, or written by a hostile process.
 */
package org.vhostuserrng.cli.counters;
