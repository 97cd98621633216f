package org.vhostuserrng.device.rng;

/** Records JFR events. Uses one object per event type again and again, so that recording does not allocate. */
final class ActiveRngFlightRecorder extends RngFlightRecorder {
    private final RngRequestEvent request;
    private final RngThrottledEvent throttle;
    private final RngStarvedEvent starve;
    private boolean throttled;
    private boolean starved;

    ActiveRngFlightRecorder(String guest) {
        request = new RngRequestEvent(guest);
        throttle = new RngThrottledEvent(guest);
        starve = new RngStarvedEvent(guest);
    }

    @Override
    void requestSeen() {
        request.begin();
    }

    @Override
    void requestThrottled() {
        if (!throttled) {
            throttled = true;
            throttle.begin();
        }
    }

    @Override
    void requestStarved() {
        if (!starved) {
            starved = true;
            starve.begin();
        }
    }

    @Override
    void requestServed(int bytes) {
        request.end();
        if (request.shouldCommit()) {
            request.bytes = bytes;
            request.commit();
        }
        if (throttled) {
            throttled = false;
            throttle.end();
            throttle.commit();
        }
        if (starved) {
            starved = false;
            starve.end();
            starve.commit();
        }
    }
}
