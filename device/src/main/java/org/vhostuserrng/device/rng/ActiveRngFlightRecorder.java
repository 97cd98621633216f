package org.vhostuserrng.device.rng;

/** Recorded ones: one object for each kind of event, used again and again, so that nothing is allocated. */
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
    void begin() {
        request.begin();
    }

    @Override
    void throttled() {
        if (!throttled) {
            throttled = true;
            throttle.begin();
        }
    }

    @Override
    void starved() {
        if (!starved) {
            starved = true;
            starve.begin();
        }
    }

    @Override
    void served(int bytes) {
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
