package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DrrGuestFlowTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    /** The total, which is one quantum. */
    private static final int MAX = 64;
    /** Time for which a source counts as starved after a request that it could not serve. */
    private static final long STARVED_HOLD = 10 * MILLI;

    private final DeficitRoundRobin unlimited = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {});
    private final DeficitRoundRobin limited =
            new DeficitRoundRobin(RateLimitConfig.ofBytes(RateLimitMode.WINDOW, MAX, 1000), () -> {});
    private final DrrGuestFlow unlimitedFlow = unlimited.addFlow(DrrGuestConfig.DEFAULT);
    private final DrrGuestFlow limitedFlow = limited.addFlow(DrrGuestConfig.DEFAULT);

    private void useTotal(long now) {
        limitedFlow.charge(now, limitedFlow.grant(now, MAX));
    }

    @Test
    void isLimitedByATotal() {
        assertTrue(limitedFlow.isLimited());
        assertFalse(unlimitedFlow.isLimited());
    }

    @Test
    void waitsForTheTotalUntilItsNextWindow() {
        useTotal(0);
        limitedFlow.commit(0);

        assertEquals(0, limitedFlow.grant(MILLI, MAX));
        assertTrue(limitedFlow.isThrottledByTotal());
        assertTrue(limitedFlow.retryAt() >= SECOND, "retry at " + limitedFlow.retryAt());
        assertEquals(MAX, limitedFlow.grant(limitedFlow.retryAt(), MAX));
    }

    @Test
    void windowOfTheTotalStartsWithTheCommit() {
        useTotal(0);
        limitedFlow.commit(SECOND / 2);

        assertEquals(0, limitedFlow.grant(SECOND + SECOND / 4, MAX));
    }

    @Test
    void starvedFlowIsNotThrottledByTheTotal() {
        limitedFlow.sourceStarved(0);

        assertFalse(limitedFlow.isThrottledByTotal());
        assertEquals(DrrGuestFlow.NEVER, limitedFlow.retryAt());
    }

    @Test
    void unlimitedFlowIsNeverThrottledByATotal() {
        assertEquals(MAX, unlimitedFlow.grant(0, MAX));
        assertFalse(unlimitedFlow.isThrottledByTotal());
    }

    @Test
    void sourceIsContendedWhileAFlowWaitsForIt() {
        unlimitedFlow.sourceStarved(0);

        assertTrue(unlimited.isContended(SECOND));
    }

    @Test
    void sourceIsContendedForAWhileAfterTheLastFlowStoppedWaiting() {
        unlimitedFlow.sourceStarved(0);
        unlimitedFlow.stopWaiting(0);

        assertTrue(unlimited.isContended(STARVED_HOLD - 1));
        assertFalse(unlimited.isContended(STARVED_HOLD));
    }

    @Test
    void flowThatIsStarvedTwiceWaitsOnce() {
        unlimitedFlow.sourceStarved(0);
        unlimitedFlow.sourceStarved(1);
        unlimitedFlow.stopWaiting(1);

        assertFalse(unlimited.isContended(SECOND));
    }

    @Test
    void flowThatStopsWaitingTwiceIsCountedOnce() {
        DrrGuestFlow other = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        other.sourceStarved(0);
        unlimitedFlow.sourceStarved(0);
        unlimitedFlow.stopWaiting(0);
        unlimitedFlow.stopWaiting(0);

        assertTrue(unlimited.isContended(SECOND));
    }

    @Test
    void deactivatedFlowNoLongerWaits() {
        unlimitedFlow.sourceStarved(0);

        unlimitedFlow.deactivate();

        assertFalse(unlimited.isContended(SECOND));
    }
}
