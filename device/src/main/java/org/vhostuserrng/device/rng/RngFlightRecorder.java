package org.vhostuserrng.device.rng;

import jdk.jfr.FlightRecorder;

/**
 * Records the JFR events of one requestq. The methods of this class do nothing; the subclass records. Confined to the
 * loop's thread.
 */
class RngFlightRecorder {
    private static final RngFlightRecorder DISABLED = new RngFlightRecorder();

    /** The recorder of a requestq that starts now. Records only if JFR is initialized now. */
    static RngFlightRecorder of(String guest) {
        // Loading an event class initializes JFR, which takes 170 ms and 5 MB.
        return FlightRecorder.isInitialized() ? new ActiveRngFlightRecorder(guest) : DISABLED;
    }

    /** The device sees a request for the first time. */
    void requestSeen() {}

    /** The request waits for a rate limit. */
    void requestThrottled() {}

    /** The request waits for the source. */
    void requestStarved() {}

    /** The request is complete. */
    void requestServed(int bytes) {}
}
