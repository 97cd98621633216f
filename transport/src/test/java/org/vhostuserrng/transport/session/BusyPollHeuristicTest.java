package org.vhostuserrng.transport.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BusyPollHeuristicTest {
    private static final long POLL_NANOS = 50_000;

    private final BusyPollHeuristic busyPoll = new BusyPollHeuristic(POLL_NANOS);
    private long now;

    private void requests(BusyPollHeuristic target, int count, long gap) {
        for (int i = 0; i < count; i++) {
            target.emptied(now);
            now += gap;
            target.requestArrived(now);
        }
    }

    @Test
    void doesNotPollForAnIdleGuest() {
        requests(busyPoll, 1000, POLL_NANOS + 1);

        assertFalse(busyPoll.isWorthwhile());
    }

    @Test
    void pollsAfterShortGaps() {
        requests(busyPoll, 100, POLL_NANOS);

        assertTrue(busyPoll.isWorthwhile());
    }

    @Test
    void neverPollsWithAPollTimeOfZero() {
        BusyPollHeuristic none = new BusyPollHeuristic(0);

        requests(none, 1000, 0);

        assertFalse(none.isWorthwhile());
    }

    @Test
    void stopsPollingAfterOneLongGap() {
        requests(busyPoll, 100, 1);

        requests(busyPoll, 1, POLL_NANOS + 1);

        assertFalse(busyPoll.isWorthwhile());
    }

    @Test
    void pollsForThePollTimeAfterTheRingWasEmptied() {
        long deadline = busyPoll.emptied(1_000);

        assertEquals(1_000 + POLL_NANOS, deadline);
    }

    @Test
    void pollsOncePerThousandsOfRequestsIfPollsFail() {
        int polls = 0;
        for (int i = 0; i < 20_000; i++) {
            if (busyPoll.isWorthwhile()) {
                polls++;
                busyPoll.failed();
            }
            requests(busyPoll, 1, 1);
        }

        assertTrue(polls >= 4 && polls <= 14, polls + " polls");
    }

    @Test
    void pollsAgainSoonAfterASingleFailedPoll() {
        requests(busyPoll, 100, 1);
        busyPoll.failed();

        requests(busyPoll, 100, 1);

        assertTrue(busyPoll.isWorthwhile());
    }
}
