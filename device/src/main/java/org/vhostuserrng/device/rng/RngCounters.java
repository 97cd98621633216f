package org.vhostuserrng.device.rng;

/**
 * Counters of a guest since the daemon started or, if the guest has migrated, since the daemon on its first host
 * started. Confined to the loop's thread.
 */
final class RngCounters {
    private long requests;
    private long bytes;
    private long throttled;
    private long starved;
    private long faults;

    void served(int length) {
        requests++;
        bytes += length;
    }

    /** A request had to wait for a rate limit. */
    void throttled() {
        throttled++;
    }

    /** A request had to wait for the source. */
    void starved() {
        starved++;
    }

    void fault() {
        faults++;
    }

    long requests() {
        return requests;
    }

    long bytes() {
        return bytes;
    }

    /** How often a request had to wait for a rate limit. */
    long throttledCount() {
        return throttled;
    }

    /** How often a request had to wait for the source. */
    long starvedCount() {
        return starved;
    }

    long faults() {
        return faults;
    }

    RngCounts snapshot() {
        return new RngCounts(requests, bytes, throttled, starved, faults);
    }

    /**
     * Continues from the counters of another host. If the guest has returned to this host, those counters include the
     * counters of this host, so the maximum of both is used.
     */
    void raiseTo(RngCounts other) {
        requests = Math.max(requests, other.requests());
        bytes = Math.max(bytes, other.bytes());
        throttled = Math.max(throttled, other.throttled());
        starved = Math.max(starved, other.starved());
        faults = Math.max(faults, other.faults());
    }

    @Override
    public String toString() {
        return requests + " requests, " + bytes + " bytes, throttled " + throttled + " times, starved " + starved
                + " times, " + faults + " faults";
    }
}
