package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** When looking at an empty ring is worth it. */
class AdaptiveBusyPollTest {
    private static final long LIMIT = 50_000;

    private final AdaptiveBusyPoll patience = new AdaptiveBusyPoll(LIMIT);
    private long now;

    private void requests(AdaptiveBusyPoll taught, int count, long gap) {
        for (int i = 0; i < count; i++) {
            taught.emptied(now);
            now += gap;
            taught.requestCame(now);
        }
    }

    @Test
    void isNotConvincedOfAGuestThatIsIdle() {
        requests(patience, 1000, LIMIT + 1);

        assertFalse(patience.isConvinced());
    }

    @Test
    void isConvincedByRequestsThatFollowEachOther() {
        requests(patience, 100, LIMIT);

        assertTrue(patience.isConvinced());
    }

    @Test
    void isNeverConvincedWithoutTime() {
        AdaptiveBusyPoll none = new AdaptiveBusyPoll(0);

        requests(none, 1000, 0);

        assertFalse(none.isConvinced());
    }

    @Test
    void forgetsWhatItWasConvincedOfAfterOneLongGap() {
        requests(patience, 100, 1);

        requests(patience, 1, LIMIT + 1);

        assertFalse(patience.isConvinced());
    }

    @Test
    void looksUntilTheLimitAfterTheRingWasEmptied() {
        long until = patience.emptied(1_000);

        assertEquals(1_000 + LIMIT, until);
    }

    @Test
    void looksOnceInThousandsOfRequestsWhereLookingIsAlwaysInVain() {
        int looks = 0;
        for (int i = 0; i < 20_000; i++) {
            if (patience.isConvinced()) {
                looks++;
                patience.lookedInVain();
            }
            requests(patience, 1, 1);
        }

        assertTrue(looks >= 4 && looks <= 14, looks + " looks");
    }

    @Test
    void isConvincedAgainSoonAfterLookingWasInVainOnceOnly() {
        requests(patience, 100, 1);
        patience.lookedInVain();

        requests(patience, 100, 1);

        assertTrue(patience.isConvinced());
    }
}
