/**
 * The counters file: counters of this process in a memory-mapped file that other processes read while it runs, and that
 * the next process continues. The package knows names and units of counters, not their meaning. The layout is
 * documented in {@code tools/COUNTERS.md}.
 */
package org.vhostuserrng.transport.counters;
