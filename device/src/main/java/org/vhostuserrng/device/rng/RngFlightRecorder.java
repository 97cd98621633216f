package org.vhostuserrng.device.rng;

import jdk.jfr.FlightRecorder;

/** What a flight recording tells of a ring: nothing, while nobody records. Confined to the loop's thread. */
class RngFlightRecorder {
    private static final RngFlightRecorder UNRECORDED = new RngFlightRecorder();

    /** Those of a ring that starts now, recorded if a recorder is there now. */
    static RngFlightRecorder of(String guest) {
        // The class of an event alone makes JFR ready to record: 170 ms and 5 MB.
        return FlightRecorder.isInitialized() ? new ActiveRngFlightRecorder(guest) : UNRECORDED;
    }

    /** A request is looked at. */
    void begin() {}

    /** It has to wait for the quota or the total. */
    void throttled() {}

    /** It has to wait for the source. */
    void starved() {}

    /** It was served, and waits no more. */
    void served(int bytes) {}
}
