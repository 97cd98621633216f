package org.vhostuserrng.device;

/** What a guest has been given, since the daemon began. Written by the loop's thread only. */
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

    @Override
    public String toString() {
        return requests + " requests, " + bytes + " bytes, waited " + throttled + " times for the quota and " + starved
                + " times for the source, " + faults + " faults";
    }
}
