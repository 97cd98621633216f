package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.backends.limiter.GuestRateLimiter.Spent;

/** What a guest may have, whoever it is and however it asks. */
class GuestRateLimiterTest {
    private static final long MICRO = 1000;
    private static final long MILLI = 1000 * MICRO;
    private static final long SECOND = 1000 * MILLI;
    /** A request that takes what there is. */
    private static final long GREEDY = 65536;

    /** Bytes that a guest could see at {@code time}. */
    private record Seen(long time, long bytes) {}

    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    private static GuestRateLimiter smooth(long maxBytes, int periodMillis) {
        return new GuestRateLimiter(RateLimitConfig.ofBytes(RateLimitMode.SMOOTH, maxBytes, periodMillis));
    }

    private static GuestRateLimiter window(long maxBytes, int periodMillis) {
        return new GuestRateLimiter(RateLimitConfig.ofBytes(RateLimitMode.WINDOW, maxBytes, periodMillis));
    }

    private static GuestRateLimiter withBurst(RateLimitMode mode, long burst) {
        return new GuestRateLimiter(new RateLimitConfig(mode, 1024, 1000, GuestRateLimiter.UNLIMITED, burst));
    }

    private static GuestRateLimiter withOps(RateLimitMode mode, long ops) {
        return new GuestRateLimiter(new RateLimitConfig(mode, GuestRateLimiter.UNLIMITED, 1000, ops, 0));
    }

    /** Serves requests of one size until there is nothing more at this time: how many bytes that were. */
    private static long take(GuestRateLimiter quota, long now, long wanted) {
        long taken = 0;
        for (long granted = quota.grant(now, wanted); granted > 0; granted = quota.grant(now, wanted)) {
            quota.charge(now, granted);
            taken += granted;
        }
        quota.settle(now);
        return taken;
    }

    /** The slice that the documentation promises at most: a 64th of the bytes, what comes in 5 ms, or 64 bytes. */
    private static long slice(long maxBytes, int periodMillis) {
        long slice = Math.max(Math.max(Math.ceilDiv(maxBytes, 64), Math.ceilDiv(5 * maxBytes, periodMillis)), 64);
        return Math.min(maxBytes, slice);
    }

    // --- smooth ------------------------------------------------------------------------------------------------------

    @Test
    void smoothGivesASliceAtOnceAndNoMore() {
        GuestRateLimiter quota = smooth(1 << 20, 1000);

        assertEquals(1 << 14, take(quota, 0, GREEDY));
    }

    @Test
    void smoothGivesTheFirstRequestOfALinuxGuestWhatItWants() {
        GuestRateLimiter quota = smooth(1024, 1000);

        assertEquals(64, quota.grant(0, 64));
    }

    @Test
    void smoothGivesTheNextSliceWhenASlicesTimeHasPassed() {
        GuestRateLimiter quota = smooth(1024, 1000);
        take(quota, 0, 64);

        assertEquals(0, quota.grant(62 * MILLI, 64));
        assertEquals(64, quota.grant(63 * MILLI, 64));
    }

    @Test
    void smoothWaitsForAWholeRequestRatherThanGiveAFewBytes() {
        GuestRateLimiter quota = smooth(1 << 20, 1000);
        take(quota, 0, GREEDY);

        assertEquals(0, quota.grant(2 * MILLI, 4096));
        assertEquals(4096, quota.grant(4 * MILLI, 4096));
    }

    @Test
    void smoothGivesASliceToARequestThatWantsMoreThanThereIsInAPeriod() {
        GuestRateLimiter quota = smooth(1024, 1000);

        assertEquals(64, quota.grant(0, GREEDY));
    }

    @Test
    void smoothDoesNotKeepWhatWasNotUsed() {
        GuestRateLimiter quota = smooth(1024, 1000);

        long afterAnHour = take(quota, 3600 * SECOND, 64);

        assertEquals(64, afterAnHour);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 65536", "64, 100", "1024, 1000", "20971520, 1000", "4611686018427387904, 1"})
    void smoothTellsExactlyWhenARequestIsServed(long maxBytes, int periodMillis) {
        GuestRateLimiter quota = smooth(maxBytes, periodMillis);
        long wanted = Math.max(Math.min(64, maxBytes), maxBytes / 64);
        take(quota, 0, wanted);

        long refill = quota.nextRefill();

        assertEquals(0, quota.grant(refill - 1, wanted));
        assertEquals(wanted, quota.grant(refill, wanted));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void smoothCarriesAtMostMaxBytesAndASliceInAnyPeriod(long seed) {
        Random random = new Random(seed);
        int periodMillis = anyPeriod(random);
        long maxBytes = anyMaxBytes(random);
        GuestRateLimiter quota = smooth(maxBytes, periodMillis);

        List<Seen> seen = anySchedule(random, quota, periodMillis * MILLI);

        long largest = largestWindow(seen, periodMillis * MILLI, Seen::bytes);
        long most = maxBytes + slice(maxBytes, periodMillis);
        assertTrue(largest <= most, largest + " bytes in a period, at most " + most);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void smoothGivesAGreedyReaderWithALateTimerItsRate(long seed) {
        Random random = new Random(seed);
        int periodMillis = 100 + random.nextInt(2000);
        long maxBytes = 64 + random.nextLong(100_000_000);
        long wanted = 1L + random.nextInt(65536);
        GuestRateLimiter quota = smooth(maxBytes, periodMillis);
        long served = 0;
        long now = 0;
        for (; now < 20L * periodMillis * MILLI; now = lateTimer(random, now, quota)) {
            served += take(quota, now, wanted);
        }

        double ofItsRate = served / ((double) now / (periodMillis * MILLI)) / maxBytes;

        assertTrue(ofItsRate >= 0.97, "only " + ofItsRate + " of " + maxBytes + " bytes in " + periodMillis + " ms");
    }

    /** As epoll's: up to a millisecond late where a slack is that long. */
    private static long lateTimer(Random random, long now, GuestRateLimiter quota) {
        return Math.max(now, quota.nextRefill()) + random.nextLong(700 * MICRO);
    }

    // --- window ------------------------------------------------------------------------------------------------------

    @Test
    void windowGivesAllOfMaxBytesAtOnce() {
        GuestRateLimiter quota = window(1024, 1000);

        assertEquals(1024, take(quota, 0, 64));
    }

    @Test
    void windowGivesTheRestOfABudgetThatIsLessThanARequest() {
        GuestRateLimiter quota = window(100, 1000);
        quota.charge(0, 64);

        assertEquals(36, quota.grant(0, 64));
    }

    @Test
    void windowBeginsWithTheFirstRequest() {
        GuestRateLimiter quota = window(1024, 1000);
        quota.charge(5 * SECOND, 1024);
        quota.settle(5 * SECOND);

        assertEquals(0, quota.grant(6 * SECOND - 1, 64));
        assertEquals(64, quota.grant(6 * SECOND + 2 * MILLI, 64));
    }

    @Test
    void windowTellsWhenItEnds() {
        GuestRateLimiter quota = window(1024, 1000);
        take(quota, 5 * MILLI, 64);

        assertEquals(0, quota.grant(quota.nextRefill() - 1, 64));
        assertEquals(64, quota.grant(quota.nextRefill(), 64));
    }

    @Test
    void windowCountsFromWhenItsFirstBytesCouldBeSeen() {
        GuestRateLimiter quota = window(1024, 1000);
        quota.charge(0, 1024);

        quota.settle(300 * MILLI);

        assertEquals(0, quota.grant(SECOND + 300 * MILLI, 64));
        assertEquals(64, quota.grant(SECOND + 302 * MILLI, 64));
    }

    @Test
    void windowCountsBytesThatAreSeenInTheNextWindowThere() {
        GuestRateLimiter quota = window(1024, 1000);
        quota.charge(0, 64);
        quota.settle(0);
        quota.charge(999 * MILLI, 960);

        quota.settle(1100 * MILLI);

        assertEquals(64, quota.grant(1100 * MILLI, GREEDY));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noWindowCarriesMoreThanMaxBytes(long seed) {
        Random random = new Random(seed);
        int periodMillis = anyPeriod(random);
        long maxBytes = anyMaxBytes(random);
        GuestRateLimiter quota = window(maxBytes, periodMillis);

        List<Seen> seen = anySchedule(random, quota, periodMillis * MILLI);

        long largest = largestOfConsecutiveWindows(seen, periodMillis * MILLI);
        assertTrue(largest <= maxBytes, largest + " bytes in a window, at most " + maxBytes);
    }

    // --- burst, ops, no limit, state ---------------------------------------------------------------------------------

    @Test
    void burstIsGivenOnceBeyondTheLimit() {
        GuestRateLimiter smooth = withBurst(RateLimitMode.SMOOTH, 10_000);
        GuestRateLimiter window = withBurst(RateLimitMode.WINDOW, 10_000);

        assertEquals(64 + 10_000, take(smooth, 0, 4096));
        assertEquals(1024 + 10_000, take(window, 0, 4096));
        assertEquals(64, take(smooth, 10 * SECOND, 64));
        assertEquals(1024, take(window, 10 * SECOND, 4096));
    }

    @Test
    void burstIsKeptByAGuestThatStaysBelowItsLimit() {
        GuestRateLimiter quota = withBurst(RateLimitMode.SMOOTH, 10_000);
        for (long now = 0; now < 10 * SECOND; now += 100 * MILLI) {
            quota.charge(now, quota.grant(now, 64));
        }

        assertEquals(0, quota.spent(11 * SECOND).burst());
    }

    @Test
    void windowServesSoManyRequestsAPeriod() {
        GuestRateLimiter quota = withOps(RateLimitMode.WINDOW, 10);

        assertEquals(10 * 64, take(quota, 0, 64));
        assertEquals(10 * 64, take(quota, 1002 * MILLI, 64));
    }

    @Test
    void smoothSpreadsItsRequestsOverThePeriod() {
        GuestRateLimiter quota = withOps(RateLimitMode.SMOOTH, 10);

        assertEquals(64, take(quota, 0, 64));
        assertEquals(0, quota.grant(100 * MILLI, 64));
        assertEquals(64, quota.grant(quota.nextRefill(), 64));
        assertTrue(quota.nextRefill() < 102 * MILLI, "at " + quota.nextRefill());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void smoothServesAtMostItsRequestsAndASliceOfThemInAnyPeriod(long seed) {
        Random random = new Random(seed);
        int periodMillis = anyPeriod(random);
        long ops = 1L + random.nextInt(10_000);
        GuestRateLimiter quota = new GuestRateLimiter(
                new RateLimitConfig(RateLimitMode.SMOOTH, GuestRateLimiter.UNLIMITED, periodMillis, ops, 0));

        List<Seen> seen = anySchedule(random, quota, periodMillis * MILLI);

        long largest = largestWindow(seen, periodMillis * MILLI, one -> 1);
        long slice = Math.min(ops, Math.max(Math.ceilDiv(ops, 64), Math.ceilDiv(5 * ops, periodMillis)));
        assertTrue(largest <= ops + slice, largest + " requests in a period of " + ops);
    }

    @Test
    void isNeverUsedUpWithoutALimit() {
        GuestRateLimiter quota = new GuestRateLimiter(RateLimitConfig.NONE);

        assertEquals(GREEDY, quota.grant(0, GREEDY));
    }

    @ParameterizedTest
    @CsvSource({"SMOOTH, 0", "WINDOW, 0", "SMOOTH, 100", "WINDOW, 100"})
    void whatWasSpentElsewhereIsNotThereAnyMore(RateLimitMode mode, long burst) {
        GuestRateLimiter elsewhere = withBurst(mode, burst);
        take(elsewhere, 7 * SECOND, 64);
        Spent spent = elsewhere.spent(7 * SECOND);
        GuestRateLimiter here = withBurst(mode, burst);

        here.restore(SECOND, spent);

        assertEquals(0, take(here, SECOND, 64));
        assertEquals(64, here.grant(here.nextRefill(), 64));
    }

    @Test
    void nothingCountsAgainstAQuotaThatWasUsedLongAgo() {
        GuestRateLimiter quota = withBurst(RateLimitMode.SMOOTH, 100);
        quota.charge(0, 64);

        assertEquals(new Spent(0, 0, 0), quota.spent(SECOND));
    }

    @ParameterizedTest
    @CsvSource({"0, 1000, 1, 0", "1, 0, 1, 0", "1, 65537, 1, 0", "1, 1000, 0, 0", "1, 1000, 1, -1"})
    void refusesLimitsThatAreOutOfRange(long maxBytes, int period, long ops, long burst) {
        assertThrows(
                IllegalArgumentException.class,
                () -> new RateLimitConfig(RateLimitMode.SMOOTH, maxBytes, period, ops, burst));
    }

    // --- schedules ---------------------------------------------------------------------------------------------------

    private static int anyPeriod(Random random) {
        return 1 + random.nextInt(random.nextBoolean() ? 20 : GuestRateLimiter.LONGEST_PERIOD_MILLIS);
    }

    private static long anyMaxBytes(Random random) {
        return 1
                + random.nextLong(
                        switch (random.nextInt(3)) {
                            case 0 -> 100;
                            case 1 -> 1_000_000;
                            default -> 1L << 40;
                        });
    }

    /**
     * Requests at odd times and of odd sizes, each served as far as it may be, and seen at any time until they are
     * settled, sometimes long after they were charged.
     */
    private static List<Seen> anySchedule(Random random, GuestRateLimiter quota, long period) {
        List<Seen> seen = new ArrayList<>();
        long now = 0;
        for (int turn = 0; turn < 3000; turn++) {
            now += switch (random.nextInt(4)) {
                case 0 -> 0;
                case 1 -> random.nextLong(period / 200 + 1);
                case 2 -> random.nextLong(period / 10 + 1);
                default -> Math.max(0, quota.nextRefill() - now);
            };
            List<Long> grants = new ArrayList<>();
            for (int request = random.nextInt(8); request >= 0; request--) {
                long wanted = 1 + random.nextLong(random.nextBoolean() ? 64 : Long.MAX_VALUE >> 20);
                long granted = quota.grant(now, wanted);
                if (granted > 0) {
                    long served = random.nextInt(10) == 0 ? 1 + random.nextLong(granted) : granted;
                    quota.charge(now, served);
                    grants.add(served);
                }
            }
            now += random.nextBoolean() ? 0 : random.nextLong(random.nextBoolean() ? 100 * MICRO : 5 * MILLI);
            quota.settle(now);
            long settled = now;
            grants.forEach(bytes -> seen.add(new Seen(settled, bytes)));
        }
        return seen;
    }

    private static long largestWindow(List<Seen> seen, long period, ToLongFunction<Seen> amount) {
        long largest = 0;
        long inWindow = 0;
        int first = 0;
        for (Seen one : seen) {
            inWindow += amount.applyAsLong(one);
            while (seen.get(first).time() <= one.time() - period) {
                inWindow -= amount.applyAsLong(seen.get(first++));
            }
            largest = Math.max(largest, inWindow);
        }
        return largest;
    }

    /** Of windows that begin with the first bytes after the last window, as the quota sees them. */
    private static long largestOfConsecutiveWindows(List<Seen> seen, long period) {
        long slack = Math.min(2 * MILLI, period / 64) / 2;
        long largest = 0;
        long inWindow = 0;
        long end = 0;
        for (Seen one : seen) {
            if (one.time() >= end) {
                inWindow = 0;
                end = one.time() + period + slack;
            }
            inWindow += one.bytes();
            largest = Math.max(largest, inWindow);
        }
        return largest;
    }
}
