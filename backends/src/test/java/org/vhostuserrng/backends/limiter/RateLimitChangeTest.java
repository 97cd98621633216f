package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests changes of limits while a guest takes all bytes that it gets. */
class RateLimitChangeTest {
    private static final long MILLI = 1_000_000;
    private static final int PERIOD_MILLIS = 1000;
    private static final long PERIOD = PERIOD_MILLIS * MILLI;
    private static final int STEPS = 3000;
    private static final int MAX_STEP_MILLIS = 40;
    private static final int STEPS_PER_CHANGE = 20;

    /** A number of bytes that was granted at a time, and the limit at this time. */
    private record Grant(long time, long bytes, RateLimitConfig limit) {}

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    private static RateLimitConfig limit(RateLimitMode mode, long maxBytes) {
        return RateLimitConfig.ofBytes(mode, maxBytes, PERIOD_MILLIS);
    }

    private static RateLimitConfig limitWithBurst(long burst) {
        return new RateLimitConfig(RateLimitMode.SMOOTH, 6400, PERIOD_MILLIS, GuestRateLimiter.UNLIMITED, burst);
    }

    private static RateLimitConfig randomLimit(Random random) {
        RateLimitMode mode = random.nextBoolean() ? RateLimitMode.SMOOTH : RateLimitMode.WINDOW;
        return limit(mode, 1 + (long) Math.pow(10, 1 + 4 * random.nextDouble()));
    }

    private static long take(GuestRateLimiter limiter, long now, long wanted) {
        long granted = limiter.grant(now, wanted);
        if (granted > 0) {
            limiter.reserve(now, granted);
            limiter.charge(now, granted);
        }
        limiter.commit(now);
        return granted;
    }

    private static long takeAll(GuestRateLimiter limiter, long now) {
        long sum = 0;
        for (long bytes = take(limiter, now, 4096); bytes > 0; bytes = take(limiter, now, 4096)) {
            sum += bytes;
        }
        return sum;
    }

    /** Returns the maximum number of bytes in any interval of one period with a constant limit. */
    private static long bound(RateLimitConfig limit) {
        if (limit.mode() == RateLimitMode.WINDOW) {
            return 2 * limit.maxBytes();
        }
        long slice = Math.max(Math.ceilDiv(limit.maxBytes(), 64), Math.ceilDiv(5 * limit.maxBytes(), PERIOD_MILLIS));
        return limit.maxBytes() + Math.min(limit.maxBytes(), Math.max(slice, 64));
    }

    private static List<Grant> run(Random random) {
        List<Grant> grants = new ArrayList<>();
        long now = 0;
        RateLimitConfig limit = randomLimit(random);
        RateLimitConfig other = randomLimit(random);
        GuestRateLimiter limiter = new GuestRateLimiter(limit);
        for (int i = 0; i < STEPS; i++) {
            now += random.nextLong(MAX_STEP_MILLIS * MILLI);
            if (random.nextInt(STEPS_PER_CHANGE) == 0) {
                // Often changes back and forth between two limits.
                RateLimitConfig next = random.nextBoolean() ? other : randomLimit(random);
                other = limit;
                limit = next;
                limiter.setConfig(now, limit);
                // Records that the limit applies from now on, even if it grants no bytes.
                grants.add(new Grant(now, 0, limit));
            }
            grants.add(new Grant(now, takeAll(limiter, now), limit));
        }
        return grants;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noPeriodExceedsTheLargerOfTheLimitsInForce(long seed) {
        List<Grant> grants = run(new Random(seed));

        for (int first = 0; first < grants.size(); first++) {
            long begin = grants.get(first).time();
            long bytes = 0;
            // The last limit before the interval also applies at its beginning.
            long allowed = bound(grants.get(Math.max(0, first - 1)).limit());
            for (int i = first; i < grants.size() && grants.get(i).time() < begin + PERIOD; i++) {
                bytes += grants.get(i).bytes();
                allowed = Math.max(allowed, bound(grants.get(i).limit()));
            }
            assertTrue(bytes <= allowed, bytes + " bytes from " + begin + ", allowed " + allowed);
        }
    }

    @ParameterizedTest
    @EnumSource
    void unchangedLimitIsNoRefill(RateLimitMode mode) {
        GuestRateLimiter limiter = new GuestRateLimiter(limit(mode, 6400));
        takeAll(limiter, 0);

        limiter.setConfig(0, limit(mode, 6400));

        assertEquals(0, takeAll(limiter, 0));
    }

    @ParameterizedTest
    @EnumSource
    void frequentChangesDoNotDelayTheGuest(RateLimitMode mode) {
        GuestRateLimiter limiter = new GuestRateLimiter(limit(mode, 100));
        long taken = 0;

        for (long now = 0; now < 20 * PERIOD; now += MILLI) {
            limiter.setConfig(now, limit(mode, 100 + now / MILLI % 2));
            taken += takeAll(limiter, now);
        }

        // At least the bytes of 20 periods, less those of the slack, and less a token for each rounding.
        assertTrue(taken > 1700, taken + " bytes");
    }

    @ParameterizedTest
    @EnumSource
    void higherLimitAppliesAtOnce(RateLimitMode mode) {
        GuestRateLimiter limiter = new GuestRateLimiter(limit(mode, 100));
        takeAll(limiter, 0);

        limiter.setConfig(0, limit(mode, 1_000_000));

        assertTrue(takeAll(limiter, 10 * MILLI) > 5000);
    }

    @ParameterizedTest
    @EnumSource
    void limitCanBeRemovedAndSetAgain(RateLimitMode mode) {
        GuestRateLimiter limiter = new GuestRateLimiter(limit(mode, 100));
        takeAll(limiter, 0);

        limiter.setConfig(0, RateLimitConfig.NONE);
        long unlimited = limiter.grant(0, 1 << 20);
        limiter.setConfig(0, limit(mode, 100));

        assertEquals(1 << 20, unlimited);
        assertTrue(takeAll(limiter, 0) <= 100);
    }

    @Test
    void usedPartOfABurstStaysUsed() {
        GuestRateLimiter limiter = new GuestRateLimiter(limitWithBurst(5000));
        long before = takeAll(limiter, 0);

        limiter.setConfig(0, limitWithBurst(0));
        limiter.setConfig(0, limitWithBurst(5000));
        long same = takeAll(limiter, 0);
        limiter.setConfig(0, limitWithBurst(6000));
        long larger = takeAll(limiter, 0);

        assertTrue(before >= 5000, before + " bytes");
        assertEquals(0, same);
        assertEquals(1000, larger);
    }

    @Test
    void raisedTotalNotifiesTheWaitingGuests() {
        int[] notifications = new int[1];
        DeficitRoundRobin scheduler = new DeficitRoundRobin(limit(RateLimitMode.SMOOTH, 1), () -> notifications[0]++);
        DrrGuestFlow flow = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        flow.charge(0, flow.grant(0, 1));
        long whileLow = flow.grant(0, 64);

        scheduler.setTotal(0, limit(RateLimitMode.SMOOTH, 1_000_000));

        assertEquals(0, whileLow);
        assertEquals(1, notifications[0]);
        assertTrue(flow.grant(100 * MILLI, 64) > 0);
    }

    @Test
    void removedFlowDoesNotDelayOthers() {
        DeficitRoundRobin scheduler = new DeficitRoundRobin(limit(RateLimitMode.SMOOTH, 64_000), () -> {});
        DrrGuestFlow removed = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        DrrGuestFlow other = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        removed.grant(0, 64);

        removed.remove();

        long bytes = 0;
        for (long now = 0; now < PERIOD; now += MILLI) {
            long granted = other.grant(now, 64);
            if (granted > 0) {
                other.charge(now, granted);
                bytes += granted;
            }
        }
        assertTrue(bytes > 50_000, bytes + " bytes");
    }

    @Test
    void weightsThatAreChangedApplyFromTheNextRound() {
        DeficitRoundRobin scheduler = new DeficitRoundRobin(limit(RateLimitMode.SMOOTH, 64_000), () -> {});
        DrrGuestFlow light = scheduler.addFlow(DrrGuestConfig.DEFAULT);
        DrrGuestFlow heavy = scheduler.addFlow(DrrGuestConfig.DEFAULT);

        heavy.setConfig(0, new DrrGuestConfig(4, 0));

        long[] bytes = new long[2];
        for (long now = 0; now < 4 * PERIOD; now += MILLI / 2) {
            bytes[0] += takeOne(light, now);
            bytes[1] += takeOne(heavy, now);
        }
        assertEquals(4, bytes[1] / (double) bytes[0], 0.5);
    }

    private static long takeOne(DrrGuestFlow flow, long now) {
        long granted = flow.grant(now, 64);
        if (granted > 0) {
            flow.charge(now, granted);
            flow.commit(now);
        }
        return granted;
    }
}
