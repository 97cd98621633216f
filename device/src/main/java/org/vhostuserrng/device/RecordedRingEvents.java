package org.vhostuserrng.device;

/** Recorded ones: one object for each kind of event, used again and again, so that nothing is allocated. */
final class RecordedRingEvents extends RingEvents {
    private final RequestEvent request;
    private final ThrottleEvent throttle;
    private final StarveEvent starve;
    private boolean throttled;
    private boolean starved;

    RecordedRingEvents(String guest) {
        request = new RequestEvent(guest);
        throttle = new ThrottleEvent(guest);
        starve = new StarveEvent(guest);
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
