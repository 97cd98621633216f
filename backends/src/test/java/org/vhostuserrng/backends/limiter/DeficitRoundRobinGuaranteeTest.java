package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.limiter.DrrGuestFlow.WaitReason;

/** Tests waiting for the total, and guaranteed minimums, one call at a time. */
class DeficitRoundRobinGuaranteeTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long IDLE_TIMEOUT = 2 * MILLI;
    private static final int QUANTUM = 100;
    private static final long TOTAL = 4096L * QUANTUM;
    /** Number of bytes in the full bucket of the total. */
    private static final long SLICE = TOTAL / 64;
    /** Time in which the total gains one byte: the period plus a slack of 2 ms, divided by the total. */
    private static final double NANOS_PER_BYTE = 1002.0 * MILLI / TOTAL;
    /** A guarantee of 64 bytes per millisecond, whose bucket has room for a 64th of the bytes of a period. */
    private static final DrrGuestConfig GUARANTEED = new DrrGuestConfig(1, 64_000);

    private static final long GUARANTEED_SLICE = 1000;
    private static final long REQUEST = 64;
    private static final long ALL = 10_000;

    private int roundStarts;
    private final DeficitRoundRobin scheduler =
            new DeficitRoundRobin(RateLimitConfig.ofBytes(RateLimitMode.SMOOTH, TOTAL, 1000), () -> roundStarts++);
    private final DrrGuestFlow guaranteed = scheduler.addFlow(GUARANTEED);
    private final DrrGuestFlow other = scheduler.addFlow(DrrGuestConfig.DEFAULT);

    private static long use(DrrGuestFlow flow, long now, long bytes) {
        long granted = flow.grant(now, bytes);
        flow.charge(now, granted);
        return granted;
    }

    /** Uses all bytes of the total that are available at time 0. */
    private void useTotal() {
        DrrGuestFlow another = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        long left = SLICE;
        while (left > 0) {
            left -= use(another, 0, Math.min(left, REQUEST));
        }
        another.deactivate();
    }

    /** Uses some bytes of the total, so that it is not full. */
    private void contend() {
        DrrGuestFlow another = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        use(another, 0, 1);
        another.deactivate();
    }

    /** Asserts that two times are equal, except for rounding. */
    private static void assertNear(long expected, long actual) {
        assertTrue(Math.abs(actual - expected) <= 2, "expected " + expected + " ns, was " + actual);
    }

    private static void assertRetryAfterBytes(long bytes, DrrGuestFlow flow) {
        assertNear(Math.round(bytes * NANOS_PER_BYTE), flow.retryAt());
    }

    // --- total -----------------------------------------------------------------------------------------------------

    @Test
    void flowWaitsForTheTotalUntilItHasTheRequestedBytes() {
        useTotal();

        assertEquals(0, other.grant(0, REQUEST));
        assertEquals(WaitReason.TOTAL, other.waitingFor);
        assertTrue(other.isThrottledByTotal());
        assertRetryAfterBytes(REQUEST, other);
        assertEquals(REQUEST, other.grant(other.retryAt(), REQUEST));
    }

    @Test
    void flowThatWaitsForTheTotalIsNotIdle() {
        useTotal();
        other.grant(0, REQUEST);
        DrrGuestFlow second = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        long now = IDLE_TIMEOUT;
        use(second, now, QUANTUM);

        assertEquals(0, second.grant(now, ALL));
        assertEquals(WaitReason.ROUND, second.waitingFor);
        assertEquals(DrrGuestFlow.NEVER, second.retryAt());
    }

    @Test
    void laterFlowWaitsForTheBytesOfThoseBeforeIt() {
        useTotal();
        List<DrrGuestFlow> flows = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            DrrGuestFlow flow = scheduler.addFlow(DrrGuestConfig.DEFAULT);
            flow.grant(0, REQUEST);
            flows.add(flow);
        }

        assertRetryAfterBytes(REQUEST, flows.get(1));
        assertRetryAfterBytes(2 * REQUEST, flows.get(2));
        assertRetryAfterBytes(3 * REQUEST, flows.get(3));
    }

    @Test
    void noFlowWaitsForMoreThanHalfTheBucketBecauseOfOthers() {
        useTotal();
        DrrGuestFlow last = other;
        for (int i = 0; i < 60; i++) {
            last = scheduler.addFlow(DrrGuestConfig.DEFAULT);
            last.grant(0, REQUEST);
        }

        assertRetryAfterBytes(SLICE / 2, last);
    }

    @Test
    void flowThatStopsWaitingForTheTotalIsNoLongerCounted() {
        useTotal();
        for (int i = 0; i < 4; i++) {
            DrrGuestFlow flow = scheduler.addFlow(DrrGuestConfig.DEFAULT);
            flow.grant(0, REQUEST);
            flow.stopWaiting(0);
        }

        other.grant(0, REQUEST);

        assertRetryAfterBytes(REQUEST, other);
    }

    // --- guaranteed minimum ----------------------------------------------------------------------------------------

    @Test
    void guaranteedBytesAreGrantedBeyondTheQuantum() {
        contend();

        assertEquals(GUARANTEED_SLICE, guaranteed.grant(0, ALL));
    }

    @Test
    void guaranteedBytesAreGrantedDuringTheTurnOfAnotherFlow() {
        contend();
        other.grant(0, 1);
        use(guaranteed, 0, QUANTUM);

        assertEquals(REQUEST, guaranteed.grant(0, REQUEST));
    }

    @Test
    void guaranteedBytesDoNotEndTheTurnOfAFlowAgain() {
        DrrGuestFlow third = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        contend();
        third.grant(0, 1);
        other.grant(0, 1);
        use(guaranteed, 0, QUANTUM);
        use(guaranteed, 0, REQUEST);

        use(other, 0, QUANTUM);

        assertEquals(0, other.grant(0, REQUEST));
    }

    @Test
    void usedGuaranteeIsRefilledAtItsRate() {
        contend();
        use(guaranteed, 0, GUARANTEED_SLICE);
        other.grant(0, 1);

        assertEquals(0, guaranteed.grant(0, REQUEST));
        assertNear(MILLI, guaranteed.retryAt());
        assertEquals(REQUEST, guaranteed.grant(guaranteed.retryAt(), REQUEST));
    }

    @Test
    void waitEndsWithTheIdleTimeoutIfTheGuaranteeTakesLonger() {
        contend();
        use(guaranteed, 0, GUARANTEED_SLICE);
        other.grant(0, 1);

        guaranteed.grant(0, 3 * REQUEST);

        assertEquals(IDLE_TIMEOUT, guaranteed.retryAt());
    }

    @Test
    void servedBytesBeyondTheGuaranteeAreNotOwedToIt() {
        DrrGuestFlow heavy = scheduler.addFlow(new DrrGuestConfig(20, 64_000));
        contend();
        use(heavy, 0, GUARANTEED_SLICE);
        use(heavy, 0, 900);
        other.grant(0, 1);
        use(heavy, 0, 100);

        heavy.grant(0, REQUEST);

        assertNear(MILLI, heavy.retryAt());
    }

    @Test
    void guaranteedBytesCostAtMostTheNextQuantum() {
        contend();
        other.grant(0, 1);
        use(guaranteed, 0, GUARANTEED_SLICE);
        guaranteed.grant(0, ALL);
        use(other, 0, QUANTUM);
        long inTheNextRound = guaranteed.grant(0, ALL);
        other.grant(0, 1);
        use(other, 0, QUANTUM);

        assertEquals(0, inTheNextRound);
        assertEquals(QUANTUM, guaranteed.grant(0, ALL));
    }

    @Test
    void guaranteedFlowWaitsForItsOwnBytesOnly() {
        useTotal();
        for (int i = 0; i < 4; i++) {
            scheduler.addFlow(DrrGuestConfig.DEFAULT).grant(0, REQUEST);
        }

        guaranteed.grant(0, REQUEST);

        assertRetryAfterBytes(REQUEST, guaranteed);
    }

    @Test
    void othersWaitWhileAGuaranteedFlowWaitsForTheTotal() {
        useTotal();
        guaranteed.grant(0, REQUEST);

        assertEquals(0, other.grant(MILLI, REQUEST));
        assertEquals(WaitReason.ROUND, other.waitingFor);
    }

    @Test
    void othersAreNotifiedWhenTheGuaranteedFlowIsServed() {
        useTotal();
        guaranteed.grant(0, REQUEST);
        other.grant(MILLI, REQUEST);

        long granted = use(guaranteed, MILLI, REQUEST);

        assertEquals(REQUEST, granted);
        assertEquals(1, roundStarts);
        assertEquals(REQUEST, other.grant(MILLI, REQUEST));
    }

    @Test
    void othersAreNotifiedOnlyWhenNoGuaranteedFlowWaitsForTheTotal() {
        DrrGuestFlow second = scheduler.addFlow(GUARANTEED);
        useTotal();
        guaranteed.grant(0, REQUEST);
        second.grant(0, REQUEST);
        other.grant(MILLI, REQUEST);
        guaranteed.deactivate();
        int afterTheFirst = roundStarts;

        second.deactivate();

        assertEquals(0, afterTheFirst);
        assertEquals(1, roundStarts);
    }

    @Test
    void flowWhoseGuaranteeIsUsedUpDoesNotDelayOthers() {
        contend();
        use(guaranteed, 0, GUARANTEED_SLICE);
        DrrGuestFlow another = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        another.grant(0, 1);
        another.deactivate();
        guaranteed.grant(0, REQUEST);

        assertFalse(guaranteed.guaranteePending);
        assertEquals(REQUEST, other.grant(0, REQUEST));
    }

    // --- slow source -----------------------------------------------------------------------------------------------

    @Test
    void bytesServedWithoutContentionAreNotCharged() {
        DeficitRoundRobin unlimited = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {});
        DrrGuestFlow flow = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        DrrGuestFlow starved = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        use(flow, 0, 1000);

        starved.sourceStarved(0);

        assertEquals(REQUEST, flow.grant(0, REQUEST));
    }

    @Test
    void starvedSourceIsSharedByQuantaUntilItIsNoLongerStarved() {
        DeficitRoundRobin unlimited = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {});
        DrrGuestFlow flow = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        DrrGuestFlow starved = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        starved.sourceStarved(0);
        starved.stopWaiting(0);
        long whileStarved = flow.grant(10 * MILLI - 1, ALL);

        assertEquals(64, whileStarved);
        assertEquals(ALL, flow.grant(10 * MILLI, ALL));
    }

    @Test
    void flowGrantedWithoutContentionNoLongerWaits() {
        DeficitRoundRobin unlimited = new DeficitRoundRobin(RateLimitConfig.NONE, () -> {});
        DrrGuestFlow flow = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        DrrGuestFlow starved = unlimited.addFlow(DrrGuestConfig.DEFAULT);
        starved.sourceStarved(0);
        use(flow, 0, 64);
        flow.grant(0, 64);
        WaitReason during = flow.waitingFor;
        starved.deactivate();

        flow.grant(10 * MILLI, ALL);

        assertEquals(WaitReason.ROUND, during);
        assertEquals(WaitReason.NONE, flow.waitingFor);
    }
}
