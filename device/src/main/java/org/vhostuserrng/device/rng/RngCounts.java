package org.vhostuserrng.device.rng;

/**
 * The counters of a guest at one time. No counter is negative.
 *
 * @param requests number of served requests
 * @param bytes number of served bytes
 * @param throttled number of times that a request had to wait for a rate limit
 * @param starved number of times that a request had to wait for the source
 * @param faults number of faults that broke a vring
 */
public record RngCounts(long requests, long bytes, long throttled, long starved, long faults) {}
