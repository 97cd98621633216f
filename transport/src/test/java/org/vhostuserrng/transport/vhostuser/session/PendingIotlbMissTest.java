package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.memory.Iotlb;

class PendingIotlbMissTest {
    private static final long MILLI = 1_000_000;
    private static final long IOVA = 0x7000;

    private final PendingIotlbMiss missed =
            new PendingIotlbMiss(new IommuState(new Vring[0], new RateLimitedGuestLog("guest", () -> 0)));

    private long ask(long now) {
        return missed.ask(IOVA, Iotlb.WRITE, now);
    }

    @Test
    void isAskedForAgainAfterAWhileThatDoublesUpToASecond() {
        long[] waits = new long[8];
        long now = 0;
        for (int i = 0; i < waits.length; i++) {
            waits[i] = (ask(now) - now) / MILLI;
            now += waits[i] * MILLI;
        }

        assertEquals("[20, 40, 80, 160, 320, 640, 1000, 1000]", Arrays.toString(waits));
    }

    @Test
    void isNotAskedForAgainBeforeThat() {
        long askAgainAt = ask(0);

        assertEquals(askAgainAt, ask(askAgainAt - 1));
    }

    @Test
    void keepsAnotherFromBeingAskedForMeanwhile() {
        long askAgainAt = ask(0);

        assertEquals(askAgainAt, missed.ask(IOVA + 0x1000, Iotlb.WRITE, MILLI));

        assertFalse(missed.isIn(IOVA + 0x1000, IOVA + 0x1fff));
    }

    @Test
    void isAskedForAtOnceWhenTheOneBeforeHasBeenAnswered() {
        ask(0);
        missed.forget();

        assertEquals(21 * MILLI, ask(MILLI));
    }

    @Test
    void isAnsweredByARangeThatHoldsIt() {
        ask(0);

        assertTrue(missed.isIn(0, -1));
        assertTrue(missed.isIn(IOVA, IOVA));
        assertFalse(missed.isIn(IOVA + 1, -1));
        assertFalse(missed.isIn(0, IOVA - 1));
    }
}
