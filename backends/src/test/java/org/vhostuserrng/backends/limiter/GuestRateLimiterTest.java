package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import org.vhostuserrng.backends.limiter.GuestRateLimiter.LimiterUsage;

class GuestRateLimiterTest {
    private static final long MICRO = 1000;
    private static final long MILLI = 1000 * MICRO;
    private static final long SECOND = 1000 * MILLI;
    /** Larger than any grant. */
    private static final long LARGE_REQUEST = 65536;

    /** A number of bytes that became visible to the guest at {@code time}. */
    private record Commit(long time, long bytes) {}

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

    /** Serves requests of one size until one is refused. Returns the number of bytes. */
    private static long take(GuestRateLimiter limiter, long now, long wanted) {
        long taken = 0;
        for (long granted = limiter.grant(now, wanted); granted > 0; granted = limiter.grant(now, wanted)) {
            limiter.charge(now, granted);
            taken += granted;
        }
        limiter.commit(now);
        return taken;
    }

    /** Returns the documented slice: the largest of a 64th of max-bytes, the bytes of 5 ms, and 64 bytes. */
    private static long slice(long maxBytes, int periodMillis) {
        long slice = Math.max(Math.max(Math.ceilDiv(maxBytes, 64), Math.ceilDiv(5 * maxBytes, periodMillis)), 64);
        return Math.min(maxBytes, slice);
    }

    // --- smooth ------------------------------------------------------------------------------------------------------

    @Test
    void isLimitedByBytesOrOps() {
        assertTrue(smooth(1024, 1000).isLimited());
        assertTrue(withOps(RateLimitMode.SMOOTH, 1).isLimited());
        assertFalse(new GuestRateLimiter(RateLimitConfig.NONE).isLimited());
    }

    @Test
    void restoredRequestsCountAgainstTheOps() {
        GuestRateLimiter limiter = withOps(RateLimitMode.WINDOW, 2);

        limiter.restoreUsage(0, new LimiterUsage(0, 2, 0));

        assertEquals(0, limiter.grant(0, 64));
    }

    @Test
    void smoothGrantsASliceAtOnce() {
        GuestRateLimiter limiter = smooth(1 << 20, 1000);

        assertEquals(1 << 14, take(limiter, 0, LARGE_REQUEST));
    }

    @Test
    void smoothGrantsFirstRequestOfLinuxGuest() {
        GuestRateLimiter limiter = smooth(1024, 1000);

        assertEquals(64, limiter.grant(0, 64));
    }

    @Test
    void smoothGrantsNextSliceAfterItsTime() {
        GuestRateLimiter limiter = smooth(1024, 1000);
        take(limiter, 0, 64);

        assertEquals(0, limiter.grant(62 * MILLI, 64));
        assertEquals(64, limiter.grant(63 * MILLI, 64));
    }

    @Test
    void smoothWaitsForTheWholeRequest() {
        GuestRateLimiter limiter = smooth(1 << 20, 1000);
        take(limiter, 0, LARGE_REQUEST);

        assertEquals(0, limiter.grant(2 * MILLI, 4096));
        assertEquals(4096, limiter.grant(4 * MILLI, 4096));
    }

    @Test
    void smoothGrantsASliceToARequestLargerThanMaxBytes() {
        GuestRateLimiter limiter = smooth(1024, 1000);

        assertEquals(64, limiter.grant(0, LARGE_REQUEST));
    }

    @Test
    void smoothAccumulatesAtMostASlice() {
        GuestRateLimiter limiter = smooth(1024, 1000);

        long afterAnHour = take(limiter, 3600 * SECOND, 64);

        assertEquals(64, afterAnHour);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 65536", "64, 100", "1024, 1000", "20971520, 1000", "4611686018427387904, 1"})
    void smoothNextGrantTimeIsExact(long maxBytes, int periodMillis) {
        GuestRateLimiter limiter = smooth(maxBytes, periodMillis);
        long wanted = Math.max(Math.min(64, maxBytes), maxBytes / 64);
        take(limiter, 0, wanted);

        long refill = limiter.nextGrantTime();

        assertEquals(0, limiter.grant(refill - 1, wanted));
        assertEquals(wanted, limiter.grant(refill, wanted));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void smoothAllowsAtMostMaxBytesPlusASliceInAnyPeriod(long seed) {
        Random random = new Random(seed);
        int periodMillis = anyPeriod(random);
        long maxBytes = anyMaxBytes(random);
        GuestRateLimiter limiter = smooth(maxBytes, periodMillis);

        List<Commit> commits = anySchedule(random, limiter, periodMillis * MILLI);

        long largest = largestWindow(commits, periodMillis * MILLI, Commit::bytes);
        long most = maxBytes + slice(maxBytes, periodMillis);
        assertTrue(largest <= most, largest + " bytes in a period, at most " + most);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void smoothSustainsTheRateWithLateTimers(long seed) {
        Random random = new Random(seed);
        int periodMillis = 100 + random.nextInt(2000);
        long maxBytes = 64 + random.nextLong(100_000_000);
        long wanted = 1L + random.nextInt(65536);
        GuestRateLimiter limiter = smooth(maxBytes, periodMillis);
        long served = 0;
        long now = 0;
        for (; now < 20L * periodMillis * MILLI; now = lateTimer(random, now, limiter)) {
            served += take(limiter, now, wanted);
        }

        double fractionOfRate = served / ((double) now / (periodMillis * MILLI)) / maxBytes;

        assertTrue(
                fractionOfRate >= 0.97,
                "only " + fractionOfRate + " of " + maxBytes + " bytes in " + periodMillis + " ms");
    }

    /** Simulates a timer of epoll, which fires up to 700 µs late. */
    private static long lateTimer(Random random, long now, GuestRateLimiter limiter) {
        return Math.max(now, limiter.nextGrantTime()) + random.nextLong(700 * MICRO);
    }

    // --- window ------------------------------------------------------------------------------------------------------

    @Test
    void windowGrantsMaxBytesAtOnce() {
        GuestRateLimiter limiter = window(1024, 1000);

        assertEquals(1024, take(limiter, 0, 64));
    }

    @Test
    void windowGrantsARestSmallerThanTheRequest() {
        GuestRateLimiter limiter = window(100, 1000);
        limiter.charge(0, 64);

        assertEquals(36, limiter.grant(0, 64));
    }

    @Test
    void windowStartsWithFirstRequest() {
        GuestRateLimiter limiter = window(1024, 1000);
        limiter.charge(5 * SECOND, 1024);
        limiter.commit(5 * SECOND);

        assertEquals(0, limiter.grant(6 * SECOND - 1, 64));
        assertEquals(64, limiter.grant(6 * SECOND + 2 * MILLI, 64));
    }

    @Test
    void windowNextGrantTimeIsItsEnd() {
        GuestRateLimiter limiter = window(1024, 1000);
        take(limiter, 5 * MILLI, 64);

        assertEquals(0, limiter.grant(limiter.nextGrantTime() - 1, 64));
        assertEquals(64, limiter.grant(limiter.nextGrantTime(), 64));
    }

    @Test
    void windowStartsAtCommit() {
        GuestRateLimiter limiter = window(1024, 1000);
        limiter.charge(0, 1024);

        limiter.commit(300 * MILLI);

        assertEquals(0, limiter.grant(SECOND + 300 * MILLI, 64));
        assertEquals(64, limiter.grant(SECOND + 302 * MILLI, 64));
    }

    @Test
    void bytesCommittedInNextWindowCountThere() {
        GuestRateLimiter limiter = window(1024, 1000);
        limiter.charge(0, 64);
        limiter.commit(0);
        limiter.charge(999 * MILLI, 960);

        limiter.commit(1100 * MILLI);

        assertEquals(64, limiter.grant(1100 * MILLI, LARGE_REQUEST));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noWindowGetsMoreThanMaxBytes(long seed) {
        Random random = new Random(seed);
        int periodMillis = anyPeriod(random);
        long maxBytes = anyMaxBytes(random);
        GuestRateLimiter limiter = window(maxBytes, periodMillis);

        List<Commit> commits = anySchedule(random, limiter, periodMillis * MILLI);

        long largest = largestOfConsecutiveWindows(commits, periodMillis * MILLI);
        assertTrue(largest <= maxBytes, largest + " bytes in a window, at most " + maxBytes);
    }

    // --- burst, ops, no limit, state ---------------------------------------------------------------------------------

    @Test
    void burstIsGrantedOnce() {
        GuestRateLimiter smooth = withBurst(RateLimitMode.SMOOTH, 10_000);
        GuestRateLimiter window = withBurst(RateLimitMode.WINDOW, 10_000);

        assertEquals(64 + 10_000, take(smooth, 0, 4096));
        assertEquals(1024 + 10_000, take(window, 0, 4096));
        assertEquals(64, take(smooth, 10 * SECOND, 64));
        assertEquals(1024, take(window, 10 * SECOND, 4096));
    }

    @Test
    void burstIsNotUsedBelowTheLimit() {
        GuestRateLimiter limiter = withBurst(RateLimitMode.SMOOTH, 10_000);
        for (long now = 0; now < 10 * SECOND; now += 100 * MILLI) {
            limiter.charge(now, limiter.grant(now, 64));
        }

        assertEquals(0, limiter.usage(11 * SECOND).burst());
    }

    @Test
    void windowLimitsRequestsPerPeriod() {
        GuestRateLimiter limiter = withOps(RateLimitMode.WINDOW, 10);

        assertEquals(10 * 64, take(limiter, 0, 64));
        assertEquals(10 * 64, take(limiter, 1002 * MILLI, 64));
    }

    @Test
    void smoothDistributesRequestsOverThePeriod() {
        GuestRateLimiter limiter = withOps(RateLimitMode.SMOOTH, 10);

        assertEquals(64, take(limiter, 0, 64));
        assertEquals(0, limiter.grant(100 * MILLI, 64));
        assertEquals(64, limiter.grant(limiter.nextGrantTime(), 64));
        assertTrue(limiter.nextGrantTime() < 102 * MILLI, "at " + limiter.nextGrantTime());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void smoothAllowsAtMostOpsPlusASliceInAnyPeriod(long seed) {
        Random random = new Random(seed);
        int periodMillis = anyPeriod(random);
        long ops = 1L + random.nextInt(10_000);
        GuestRateLimiter limiter = new GuestRateLimiter(
                new RateLimitConfig(RateLimitMode.SMOOTH, GuestRateLimiter.UNLIMITED, periodMillis, ops, 0));

        List<Commit> commits = anySchedule(random, limiter, periodMillis * MILLI);

        long largest = largestWindow(commits, periodMillis * MILLI, one -> 1);
        long slice = Math.min(ops, Math.max(Math.ceilDiv(ops, 64), Math.ceilDiv(5 * ops, periodMillis)));
        assertTrue(largest <= ops + slice, largest + " requests in a period of " + ops);
    }

    @Test
    void grantsEverythingWithoutLimit() {
        GuestRateLimiter limiter = new GuestRateLimiter(RateLimitConfig.NONE);

        assertEquals(LARGE_REQUEST, limiter.grant(0, LARGE_REQUEST));
    }

    @ParameterizedTest
    @CsvSource({"SMOOTH, 0", "WINDOW, 0", "SMOOTH, 100", "WINDOW, 100"})
    void restoredUsageCountsAgainstTheLimit(RateLimitMode mode, long burst) {
        GuestRateLimiter source = withBurst(mode, burst);
        take(source, 7 * SECOND, 64);
        LimiterUsage usage = source.usage(7 * SECOND);
        GuestRateLimiter destination = withBurst(mode, burst);

        destination.restoreUsage(SECOND, usage);

        assertEquals(0, take(destination, SECOND, 64));
        assertEquals(64, destination.grant(destination.nextGrantTime(), 64));
    }

    @Test
    void usageExpires() {
        GuestRateLimiter limiter = withBurst(RateLimitMode.SMOOTH, 100);
        limiter.charge(0, 64);

        assertEquals(new LimiterUsage(0, 0, 0), limiter.usage(SECOND));
    }

    @ParameterizedTest
    @CsvSource({"0, 1000, 1, 0", "1, 0, 1, 0", "1, 65537, 1, 0", "1, 1000, 0, 0", "1, 1000, 1, -1"})
    void refusesConfigOutOfRange(long maxBytes, int period, long ops, long burst) {
        assertThrows(
                IllegalArgumentException.class,
                () -> new RateLimitConfig(RateLimitMode.SMOOTH, maxBytes, period, ops, burst));
    }

    // --- schedules ---------------------------------------------------------------------------------------------------

    private static int anyPeriod(Random random) {
        return 1 + random.nextInt(random.nextBoolean() ? 20 : GuestRateLimiter.MAX_PERIOD_MILLIS);
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
     * Makes requests at random times and of random sizes, serves all or part of each grant, and commits at a random
     * time after the charge.
     */
    private static List<Commit> anySchedule(Random random, GuestRateLimiter limiter, long period) {
        List<Commit> commits = new ArrayList<>();
        long now = 0;
        for (int turn = 0; turn < 3000; turn++) {
            now += switch (random.nextInt(4)) {
                case 0 -> 0;
                case 1 -> random.nextLong(period / 200 + 1);
                case 2 -> random.nextLong(period / 10 + 1);
                default -> Math.max(0, limiter.nextGrantTime() - now);
            };
            List<Long> grants = new ArrayList<>();
            for (int request = random.nextInt(8); request >= 0; request--) {
                long wanted = 1 + random.nextLong(random.nextBoolean() ? 64 : Long.MAX_VALUE >> 20);
                long granted = limiter.grant(now, wanted);
                if (granted > 0) {
                    long served = random.nextInt(10) == 0 ? 1 + random.nextLong(granted) : granted;
                    limiter.charge(now, served);
                    grants.add(served);
                }
            }
            now += random.nextBoolean() ? 0 : random.nextLong(random.nextBoolean() ? 100 * MICRO : 5 * MILLI);
            limiter.commit(now);
            long committedAt = now;
            grants.forEach(bytes -> commits.add(new Commit(committedAt, bytes)));
        }
        return commits;
    }

    private static long largestWindow(List<Commit> commits, long period, ToLongFunction<Commit> amount) {
        long largest = 0;
        long inWindow = 0;
        int first = 0;
        for (Commit one : commits) {
            inWindow += amount.applyAsLong(one);
            while (commits.get(first).time() <= one.time() - period) {
                inWindow -= amount.applyAsLong(commits.get(first++));
            }
            largest = Math.max(largest, inWindow);
        }
        return largest;
    }

    /**
     * Returns the largest number of bytes in a window. A window starts with the first bytes after the previous one, as
     * in the limiter.
     */
    private static long largestOfConsecutiveWindows(List<Commit> commits, long period) {
        long slack = Math.min(2 * MILLI, period / 64) / 2;
        long largest = 0;
        long inWindow = 0;
        long end = 0;
        for (Commit one : commits) {
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
