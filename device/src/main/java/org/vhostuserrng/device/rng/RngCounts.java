package org.vhostuserrng.device.rng;

/**
 * The counters of a guest at one moment. None is negative.
 *
 * @param requests served requests
 * @param bytes served bytes
 * @param throttled how often a request had to wait for a rate limit
 * @param starved how often a request had to wait for the source
 * @param faults violations by the driver that broke a vring
 */
public record RngCounts(long requests, long bytes, long throttled, long starved, long faults) {}
