package org.vhostuserrng.device.rng;

/** What a guest has been given, since the daemon began or the guest did elsewhere. Written by the loop's thread only. */
final class RngCounters {
    /** The counts at one moment; none is negative. */
    record Snapshot(long requests, long bytes, long throttled, long starved, long faults) {}

    private long requests;
    private long bytes;
    private long throttled;
    private long starved;
    private long faults;

    void served(int length) {
        requests++;
        bytes += length;
    }

    /** A request had to wait for the quota. */
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

    Snapshot snapshot() {
        return new Snapshot(requests, bytes, throttled, starved, faults);
    }

    /** Goes on from counts made elsewhere, which contain ours if the guest has been there before and come back. */
    void raiseTo(Snapshot others) {
        requests = Math.max(requests, others.requests());
        bytes = Math.max(bytes, others.bytes());
        throttled = Math.max(throttled, others.throttled());
        starved = Math.max(starved, others.starved());
        faults = Math.max(faults, others.faults());
    }

    @Override
    public String toString() {
        return requests + " requests, " + bytes + " bytes, waited " + throttled + " times for the quota and " + starved
                + " times for the source, " + faults + " faults";
    }
}
