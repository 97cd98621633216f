package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.backends.limiter.DrrGuestFlow.WaitReason;

/** Tests the quanta, deficits and rounds of a contended total, one call at a time. */
class DeficitRoundRobinRoundTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    /** Time without a request after which a flow is not active any more. */
    private static final long IDLE_TIMEOUT = 2 * MILLI;
    /** Time without a served request after which a waiting flow starts the next round. */
    private static final long TURN_TIMEOUT = 5 * SECOND;

    private static final int QUANTUM = 100;
    /** A number of bytes that is more than a quantum. */
    private static final long ALL = 10_000;
    /** The longest period, so that no window ends during a test. */
    private static final int PERIOD_MILLIS = 65_536;
    /** The end of the window, which is longer than the period by half of the slack of 2 ms. */
    private static final long WINDOW_END = PERIOD_MILLIS * MILLI + MILLI;

    private int roundStarts;
    private final DeficitRoundRobin scheduler = scheduler(4096L * QUANTUM);
    private final DrrGuestFlow first = flow(1);
    private final DrrGuestFlow second = flow(1);
    private final DrrGuestFlow third = flow(1);

    private DeficitRoundRobin scheduler(long total) {
        return new DeficitRoundRobin(
                RateLimitConfig.ofBytes(RateLimitMode.WINDOW, total, PERIOD_MILLIS), () -> roundStarts++);
    }

    private DrrGuestFlow flow(int weight) {
        return scheduler.addFlow(new DrrGuestConfig(weight, 0));
    }

    /** Starts the window of the total, so that the total is not full until the window ends. */
    private void contend() {
        DrrGuestFlow another = flow(1);
        another.charge(0, another.grant(0, 1));
        another.deactivate();
    }

    private static void request(DrrGuestFlow flow, long now) {
        flow.grant(now, 1);
    }

    /** Uses up a quantum. */
    private static void useQuantum(DrrGuestFlow flow, long now) {
        assertEquals(QUANTUM, flow.grant(now, QUANTUM));
        flow.charge(now, QUANTUM);
    }

    /** Makes a flow wait for the next round. */
    private static void awaitRound(DrrGuestFlow flow, long now) {
        useQuantum(flow, now);
        assertEquals(0, flow.grant(now, ALL));
    }

    // --- quantum ---------------------------------------------------------------------------------------------------

    /** A quantum is a 4096th of the bytes of a period, but at least one typical request and at most a page. */
    @ParameterizedTest
    @CsvSource({
        "262144, 1, 64",
        "262143, 1, 64",
        "266240, 1, 65",
        "266240, 3, 195",
        "16777216, 1, 4096",
        "16781312, 1, 4096",
        "16781312, 1000, 4096000"
    })
    void quantumIsA4096thOfTheTotalTimesTheWeight(long total, int weight, long quantum) {
        DrrGuestFlow flow = scheduler(total).addFlow(new DrrGuestConfig(weight, 0));

        assertEquals(quantum, flow.grant(0, total));
    }

    @Test
    void grantIsAtMostTheRequest() {
        assertEquals(QUANTUM - 1, first.grant(0, QUANTUM - 1));
    }

    @Test
    void lastGrantOfARoundIsAtLeastATypicalRequest() {
        contend();
        request(second, 0);
        first.charge(0, first.grant(0, 99));

        assertEquals(64, first.grant(0, ALL));
    }

    @Test
    void excessOfTheLastGrantIsChargedToTheNextRound() {
        contend();
        request(second, 0);
        first.charge(0, first.grant(0, 60));
        first.charge(0, first.grant(0, 64));
        useQuantum(second, 0);

        assertEquals(QUANTUM - 24, first.grant(0, ALL));
    }

    // --- rounds ----------------------------------------------------------------------------------------------------

    @Test
    void flowAloneNeverWaits() {
        contend();

        for (int i = 0; i < 10; i++) {
            useQuantum(first, 0);
        }

        assertEquals(0, roundStarts);
    }

    @Test
    void flowThatHasUsedItsQuantumWaitsForTheOthers() {
        contend();
        request(second, 0);
        useQuantum(first, 0);

        assertEquals(0, first.grant(0, ALL));
        assertEquals(WaitReason.ROUND, first.waitingFor);
        assertEquals(0, roundStarts);
    }

    @Test
    void nextRoundStartsWhenAllHaveUsedTheirQuantum() {
        contend();
        request(second, 0);
        request(third, 0);
        awaitRound(first, 0);
        useQuantum(second, 0);
        int beforeTheLast = roundStarts;

        useQuantum(third, 0);

        assertEquals(0, beforeTheLast);
        assertEquals(1, roundStarts);
        assertEquals(QUANTUM, first.grant(0, ALL));
    }

    @Test
    void roundStartNotifiesNobodyIfNoFlowWaits() {
        contend();
        request(second, 0);
        useQuantum(first, 0);

        useQuantum(second, 0);

        assertEquals(0, roundStarts);
    }

    @Test
    void servedFlowNoLongerWaits() {
        contend();
        request(second, 0);
        awaitRound(first, 0);
        useQuantum(second, 0);
        useQuantum(first, 0);
        int before = roundStarts;

        useQuantum(second, 0);

        assertEquals(WaitReason.NONE, first.waitingFor);
        assertEquals(before, roundStarts);
    }

    @Test
    void newFlowTakesPartInTheCurrentRound() {
        contend();
        request(second, 0);
        awaitRound(first, 0);
        useQuantum(third, 0);

        useQuantum(second, 0);

        assertEquals(1, roundStarts);
    }

    // --- unused quanta ---------------------------------------------------------------------------------------------

    @Test
    void fullTotalStartsARoundForAFlowThatHasUsedItsQuantum() {
        contend();
        request(second, WINDOW_END - 1);
        useQuantum(first, WINDOW_END - 1);
        long whileNotFull = first.grant(WINDOW_END - 1, ALL);

        assertEquals(0, whileNotFull);
        assertEquals(QUANTUM, first.grant(WINDOW_END, ALL));
    }

    @Test
    void quantumThatARoundLeftUnusedIsKept() {
        contend();
        request(second, WINDOW_END - 1);
        useQuantum(first, WINDOW_END - 1);
        first.grant(WINDOW_END, ALL);

        assertEquals(2 * QUANTUM, second.grant(WINDOW_END, ALL));
    }

    @Test
    void atMostOneUnusedQuantumIsKept() {
        contend();
        long now = WINDOW_END;
        request(second, now - 1);
        useQuantum(first, now - 1);
        for (int i = 0; i < 3; i++) {
            request(second, now);
            useQuantum(first, now);
            request(second, now);
            now += WINDOW_END;
            request(second, now - 1);
            assertEquals(0, first.deficit);
        }

        assertEquals(2 * QUANTUM, second.grant(now - 1, ALL));
    }

    @Test
    void fullTotalStartsNoRoundBeforeTheNotifiedFlowsHaveRequested() {
        contend();
        long now = WINDOW_END - 1;
        request(third, now);
        awaitRound(first, now);
        request(first, now);
        awaitRound(second, now);
        useQuantum(third, now);
        useQuantum(first, now);

        long beforeTheOther = first.grant(WINDOW_END, ALL);
        long other = second.grant(WINDOW_END, ALL);
        long afterTheOther = first.grant(WINDOW_END, ALL);

        assertEquals(0, beforeTheOther);
        assertEquals(QUANTUM, other);
        assertEquals(QUANTUM, afterTheOther);
    }

    // --- idle flows ------------------------------------------------------------------------------------------------

    @Test
    void waitEndsWhenTheOtherFlowIsIdle() {
        contend();
        request(second, 0);
        awaitRound(first, 0);

        assertEquals(IDLE_TIMEOUT, first.retryAt());
        assertEquals(0, first.grant(IDLE_TIMEOUT - 1, ALL));
        assertEquals(QUANTUM, first.grant(IDLE_TIMEOUT, ALL));
    }

    @Test
    void idleFlowsLeaveInTheOrderOfTheirLastRequests() {
        contend();
        DrrGuestFlow fourth = flow(1);
        request(second, 0);
        request(third, MILLI);
        request(fourth, MILLI + 1);
        request(third, MILLI + 2);
        awaitRound(first, MILLI + 2);
        long secondIdleAt = first.retryAt();

        assertEquals(0, first.grant(secondIdleAt, ALL));
        long fourthIdleAt = first.retryAt();
        assertEquals(0, first.grant(fourthIdleAt, ALL));
        long thirdIdleAt = first.retryAt();

        assertEquals(IDLE_TIMEOUT, secondIdleAt);
        assertEquals(IDLE_TIMEOUT + MILLI + 1, fourthIdleAt);
        assertEquals(IDLE_TIMEOUT + MILLI + 2, thirdIdleAt);
        assertEquals(QUANTUM, first.grant(thirdIdleAt, ALL));
    }

    @Test
    void deactivatedFlowsAreNotWaitedFor() {
        contend();
        DrrGuestFlow fourth = flow(1);
        request(second, 0);
        request(third, 1);
        request(fourth, 2);
        third.deactivate();
        second.deactivate();
        awaitRound(first, 2);
        long fourthIdleAt = first.retryAt();

        fourth.deactivate();

        assertEquals(IDLE_TIMEOUT + 2, fourthIdleAt);
        assertEquals(1, roundStarts);
    }

    @Test
    void lastOfTheListCanBeDeactivated() {
        contend();
        request(second, 0);
        request(third, 1);
        third.deactivate();
        request(third, 2);
        awaitRound(first, 2);

        assertEquals(0, first.grant(IDLE_TIMEOUT, ALL));
        assertEquals(IDLE_TIMEOUT + 2, first.retryAt());
    }

    @Test
    void waitHasNoTimeLimitIfAllOthersWaitToo() {
        contend();
        request(second, 0);
        request(third, 0);
        awaitRound(first, 0);
        request(second, 0);
        second.sourceStarved(0);
        third.sourceStarved(0);

        assertEquals(0, first.grant(1, ALL));
        assertEquals(DrrGuestFlow.NEVER, first.retryAt());
    }

    @Test
    void deactivationOfAFlowThatHasUsedItsQuantumEndsNoRound() {
        contend();
        request(third, 0);
        awaitRound(first, 0);
        useQuantum(second, 0);

        second.deactivate();

        assertEquals(0, roundStarts);
    }

    @Test
    void deactivationOfAnInactiveFlowEndsNoRound() {
        contend();
        request(third, 0);
        awaitRound(first, 0);

        second.deactivate();

        assertEquals(0, roundStarts);
    }

    @Test
    void deactivatedFlowHasNoTimeToRetry() {
        contend();
        request(second, 0);
        awaitRound(first, 0);

        first.deactivate();

        assertEquals(DrrGuestFlow.NEVER, first.retryAt());
        assertEquals(WaitReason.NONE, first.waitingFor);
    }

    @Test
    void pauseYieldsNoSecondQuantum() {
        contend();
        request(second, 0);
        useQuantum(first, 0);
        first.deactivate();

        assertEquals(0, first.grant(0, ALL));
    }

    @Test
    void roundDoesNotWaitForAFlowThatReturnsAfterItsQuantum() {
        contend();
        request(second, 0);
        useQuantum(first, 0);
        first.deactivate();
        first.grant(0, ALL);

        useQuantum(second, 0);

        assertEquals(1, roundStarts);
    }

    @Test
    void newFlowGetsAQuantumInALaterRound() {
        request(second, 0);
        useQuantum(first, 0);
        useQuantum(second, 0);

        assertEquals(QUANTUM, third.grant(0, ALL));
    }

    @Test
    void pauseKeepsTheRestOfTheQuantum() {
        contend();
        request(second, 0);
        first.charge(0, first.grant(0, 20));
        first.deactivate();

        assertEquals(QUANTUM - 20, first.grant(0, ALL));
    }

    @Test
    void roundWaitsForAFlowThatReturnsWithTheRestOfItsQuantum() {
        contend();
        request(second, 0);
        first.charge(0, first.grant(0, 20));
        first.deactivate();
        request(first, 0);
        useQuantum(second, 0);

        assertEquals(0, second.grant(0, ALL));
    }

    // --- flows that stop waiting -----------------------------------------------------------------------------------

    @Test
    void flowThatStopsWaitingStaysActiveForTheIdleTimeout() {
        contend();
        request(second, 0);
        request(third, 0);
        awaitRound(first, 0);
        second.sourceStarved(0);
        second.stopWaiting(MILLI);
        third.deactivate();

        assertEquals(0, first.grant(IDLE_TIMEOUT, ALL));
        assertEquals(IDLE_TIMEOUT + MILLI, first.retryAt());
    }

    @Test
    void flowThatDoesNotWaitCannotProlongItsActivityByStoppingToWait() {
        contend();
        request(second, 0);
        awaitRound(first, 0);

        second.stopWaiting(MILLI);

        assertEquals(QUANTUM, first.grant(IDLE_TIMEOUT, ALL));
    }

    // --- flows that do not use their quantum -----------------------------------------------------------------------

    /** Keeps a flow active from one time to another, inclusive, although none of its requests is served. */
    private static void keepActive(DrrGuestFlow flow, long from, long to) {
        for (long now = from; now < to; now += MILLI) {
            request(flow, now);
        }
        request(flow, to);
    }

    @Test
    void flowThatIsNeverServedBlocksTheOthersForFiveSeconds() {
        contend();
        request(second, 0);
        awaitRound(first, 0);
        keepActive(second, 0, TURN_TIMEOUT - 1);

        assertEquals(0, first.grant(TURN_TIMEOUT - 1, ALL));
        assertEquals(QUANTUM, first.grant(TURN_TIMEOUT, ALL));
    }

    @Test
    void turnTimeoutBeginsWithTheLastServedRequest() {
        contend();
        request(second, 0);
        awaitRound(first, 0);
        keepActive(second, 0, SECOND);
        second.charge(SECOND, 1);
        keepActive(second, SECOND, SECOND + TURN_TIMEOUT - 1);

        assertEquals(0, first.grant(SECOND + TURN_TIMEOUT - 1, ALL));
        assertEquals(QUANTUM, first.grant(SECOND + TURN_TIMEOUT, ALL));
    }

    @Test
    void turnTimeoutBeginsWithTheWait() {
        contend();
        request(second, 0);
        useQuantum(first, 0);
        keepActive(second, 0, SECOND);
        first.grant(SECOND, ALL);
        keepActive(second, SECOND, SECOND + TURN_TIMEOUT - 1);

        assertEquals(0, first.grant(SECOND + TURN_TIMEOUT - 1, ALL));
        assertEquals(QUANTUM, first.grant(SECOND + TURN_TIMEOUT, ALL));
    }

    @Test
    void turnTimeoutStartsOneRound() {
        contend();
        request(second, 0);
        awaitRound(first, 0);
        keepActive(second, 0, TURN_TIMEOUT - 1);

        useQuantum(first, TURN_TIMEOUT);

        assertEquals(0, first.grant(TURN_TIMEOUT, ALL));
    }

    @Test
    void onlyAFlowThatWaitsForTheRoundTimesOut() {
        contend();
        request(second, 0);
        useQuantum(first, 0);
        keepActive(second, 0, TURN_TIMEOUT);

        assertEquals(0, first.grant(TURN_TIMEOUT, ALL));
    }
}
