package org.vhostuserrng.cli.benchsuite;

/**
 * What a process holds.
 *
 * @param rss bytes, those that it shares with others included
 * @param pss bytes, of those that it shares its part
 * @param privateBytes bytes that it shares with nobody, and that no file has: a second process of its kind adds them
 * @param descriptors open file descriptors
 */
record ProcessResourceUsage(long rss, long pss, long privateBytes, int fds, int threads) {}
