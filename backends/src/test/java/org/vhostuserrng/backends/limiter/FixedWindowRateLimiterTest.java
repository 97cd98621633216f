package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FixedWindowRateLimiterTest {
    private static final long MAX = 100;
    private static final long LENGTH = 10;

    private final FixedWindowRateLimiter counter = new FixedWindowRateLimiter(MAX, LENGTH);

    private void chargeAndCommit(long now, long amount) {
        counter.charge(now, amount);
        counter.commit(now);
    }

    @Test
    void grantsASingleToken() {
        assertEquals(1, counter.minGrant(64));
    }

    @Test
    void isFullBeforeTheFirstCharge() {
        assertTrue(counter.isFull(0));
    }

    @Test
    void isNotFullUntilTheWindowEnds() {
        chargeAndCommit(0, 1);

        assertFalse(counter.isFull(LENGTH - 1));
        assertTrue(counter.isFull(LENGTH));
    }

    @Test
    void usedAmountCountsUntilTheWindowEnds() {
        chargeAndCommit(0, 40);

        assertEquals(40, counter.used(LENGTH - 1));
        assertEquals(0, counter.used(LENGTH));
    }

    @Test
    void windowStartsWithTheCommitOfItsFirstCharge() {
        counter.charge(0, 40);
        counter.commit(5);

        assertEquals(40, counter.used(5 + LENGTH - 1));
        assertEquals(0, counter.used(5 + LENGTH));
    }

    @Test
    void laterCommitInTheWindowDoesNotExtendIt() {
        chargeAndCommit(0, 40);
        chargeAndCommit(5, 40);

        assertEquals(0, counter.used(LENGTH));
    }

    @Test
    void amountCommittedAtTheEndOfItsWindowCountsInTheNextWindow() {
        chargeAndCommit(0, 40);
        counter.charge(5, 30);

        counter.commit(LENGTH);

        assertEquals(30, counter.used(LENGTH));
    }

    @Test
    void commitWithoutChargeStartsNoWindow() {
        chargeAndCommit(0, 40);

        counter.commit(2 * LENGTH);

        assertTrue(counter.isFull(2 * LENGTH));
    }

    @Test
    void restoringNothingStartsNoWindow() {
        counter.restore(0, 0);

        assertTrue(counter.isFull(1));
    }

    @Test
    void restoredAmountStartsAWindow() {
        counter.restore(3, 40);

        assertEquals(40, counter.used(3 + LENGTH - 1));
        assertEquals(0, counter.used(3 + LENGTH));
    }

    @Test
    void restoredAmountIsLimitedToTheMaximum() {
        chargeAndCommit(0, 40);

        counter.restore(1, 90);

        assertEquals(MAX, counter.used(1));
        assertEquals(0, counter.tokens(1));
    }
}
