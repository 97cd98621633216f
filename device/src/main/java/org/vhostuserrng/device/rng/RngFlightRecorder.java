package org.vhostuserrng.device.rng;

import jdk.jfr.FlightRecorder;

/**
 * Records the JFR events of one requestq. The methods of this class do nothing; {@link ActiveRngFlightRecorder}
 * records. Confined to the loop's thread.
 */
class RngFlightRecorder {
    private static final RngFlightRecorder DISABLED = new RngFlightRecorder();

    /** Returns the recorder for a requestq that starts now, which records only if JFR is already initialized. */
    static RngFlightRecorder of(String guest) {
        // Does not load the event classes unless JFR is in use: this would initialize JFR, which takes 170 ms and 5 MB.
        return FlightRecorder.isInitialized() ? new ActiveRngFlightRecorder(guest) : DISABLED;
    }

    /** Called when the device sees a request. */
    void requestSeen() {}

    /** Called when the request has to wait for a rate limit. */
    void requestThrottled() {}

    /** Called when the request has to wait for the source. */
    void requestStarved() {}

    /** Called when the request is complete. */
    void requestServed(int bytes) {}
}
