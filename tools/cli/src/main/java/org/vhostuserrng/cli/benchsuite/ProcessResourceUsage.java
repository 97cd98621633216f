package org.vhostuserrng.cli.benchsuite;

/**
 * Resource usage of a process.
 *
 * @param rss resident set size in bytes, including shared pages
 * @param pss proportional set size in bytes: the size of a shared page is divided by the number of its processes
 * @param privateBytes private anonymous memory in bytes: what one more process would add
 * @param fds number of open file descriptors
 * @param threads number of threads
 */
record ProcessResourceUsage(long rss, long pss, long privateBytes, int fds, int threads) {}
