package org.vhostuserrng.device.rng;

/**
 * The counters of a guest. They continue when the guest migrates to another host, and in the next process if it can
 * read the state that this one left. Confined to the loop's thread.
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

    /** Counts that a request has to wait for a rate limit. */
    void throttled() {
        throttled++;
    }

    /** Counts that a request has to wait for the source. */
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

    /** The number of times that a request had to wait for a rate limit. */
    long throttledCount() {
        return throttled;
    }

    /** The number of times that a request had to wait for the source. */
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
     * Continues other counters of the same guest, from another host or process: takes the maximum of both. They are not
     * added, because the counters of a guest that returns to this host already include those of this host.
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
