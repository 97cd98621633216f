package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenBucketTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    /** Number of tokens per period: one per microsecond, so that a slice is 10 ms. */
    private static final long MAX = 640_000;

    private static final long PERIOD = 640 * MILLI;
    private static final long SLICE = 10_000;

    private final TokenBucket bucket = new TokenBucket(MAX, PERIOD, 0, 1);

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    private static TokenBucket emptyBucket(long max, long period) {
        TokenBucket bucket = new TokenBucket(max, period, MILLI, 64);
        bucket.charge(0, bucket.tokens(0));
        return bucket;
    }

    private static void assertAbout(long expected, long actual) {
        assertTrue(Math.abs(expected - actual) <= 1, "expected about " + expected + ", not " + actual);
    }

    @Test
    void startsWithOneSlice() {
        assertEquals(SLICE, bucket.tokens(0));
        assertTrue(bucket.isFull(0));
        assertEquals(0, bucket.used(0));
    }

    @Test
    void largeRequestIsGrantedASlice() {
        assertEquals(SLICE, bucket.minGrant(MAX));
    }

    @Test
    void isFullOnceASliceHasBeenAdded() {
        bucket.charge(0, SLICE);

        assertFalse(bucket.isFull(MILLI));
        assertTrue(bucket.isFull(11 * MILLI));
    }

    @Test
    void grantIsDueNowIfThereAreEnoughTokens() {
        bucket.tokens(MILLI);

        assertEquals(MILLI, bucket.nextGrantTime(64));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void grantsAtTheNextGrantTimeAndNotBefore(long seed) {
        Random random = new Random(seed);
        int wanted = 1 + random.nextInt(5000);
        int max = 1 + random.nextInt(10_000_000);
        long period = (1 + random.nextInt(1000)) * MILLI;
        TokenBucket early = emptyBucket(max, period);
        TokenBucket late = emptyBucket(max, period);

        long next = late.nextGrantTime(wanted);

        assertEquals(0, early.available(next - 1, wanted));
        assertTrue(late.available(next, wanted) > 0, "no grant at " + next);
    }

    @Test
    void timeFromChargeToCommitAddsNoTokensExceptAQuarterOfTheSlack() {
        long slack = 4 * MILLI;
        TokenBucket withSlack = new TokenBucket(MAX, PERIOD, slack, 1);
        withSlack.charge(MILLI, withSlack.tokens(MILLI));

        withSlack.commit(4 * MILLI);

        assertAbout(MAX * MILLI / (PERIOD + slack), withSlack.tokens(4 * MILLI));
    }

    @Test
    void restoredAmountIsLimitedToTheTokens() {
        bucket.restore(0, 2 * SLICE);

        assertEquals(0, bucket.tokens(0));
        assertEquals(SLICE, bucket.used(0));
    }
}
