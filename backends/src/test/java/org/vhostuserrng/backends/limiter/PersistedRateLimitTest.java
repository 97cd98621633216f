package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests limits whose usage a process leaves in memory, and the next process continues. */
class PersistedRateLimitTest {
    private static final long MAX_BYTES = 1024;
    private static final int PERIOD_MILLIS = 1000;
    private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS);
    /** CLOCK_MONOTONIC at time 0 of the first process; {@link #SECOND_ORIGIN} is that of the second one. */
    private static final long FIRST_ORIGIN = 5_000_000_000L;

    private static final long SECOND_ORIGIN = 5_400_000_000L;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment memory =
            arena.allocate(Math.max(8 + GuestRateLimiter.PERSISTED_BYTES, DeficitRoundRobin.PERSISTED_BYTES), 8);

    @AfterEach
    void free() {
        arena.close();
    }

    private static GuestRateLimiter limiter(RateLimitMode mode, long maxBytes) {
        return new GuestRateLimiter(mode, maxBytes, PERIOD_MILLIS);
    }

    private static long take(GuestRateLimiter limiter, long now, long wanted) {
        long granted = limiter.grant(now, wanted);
        if (granted > 0) {
            limiter.charge(now, granted);
            limiter.commit(now);
        }
        return granted;
    }

    /** The limiter of the next process, which starts at time 0 of its own clock. */
    private GuestRateLimiter next(GuestRateLimiter before, RateLimitMode mode, long maxBytes) {
        before.keep(memory, 8, FIRST_ORIGIN);
        GuestRateLimiter next = limiter(mode, maxBytes);
        next.resume(0, memory, 8, SECOND_ORIGIN);
        return next;
    }

    @ParameterizedTest
    @EnumSource
    void usedUpLimitStaysUsedUp(RateLimitMode mode) {
        GuestRateLimiter first = limiter(mode, MAX_BYTES);
        while (take(first, 399_000_000, MAX_BYTES) > 0) {
            // Uses up the limit.
        }

        GuestRateLimiter second = next(first, mode, MAX_BYTES);

        assertEquals(0, second.grant(0, MAX_BYTES));
    }

    @Test
    void windowEndsWhenItWouldHaveEndedWithoutTheRestart() {
        GuestRateLimiter first = limiter(RateLimitMode.WINDOW, MAX_BYTES);
        take(first, 0, MAX_BYTES);
        first.grant(1, 1);
        long end = first.nextGrantTime();

        GuestRateLimiter second = next(first, RateLimitMode.WINDOW, MAX_BYTES);
        second.grant(0, 1);

        assertEquals(end + FIRST_ORIGIN, second.nextGrantTime() + SECOND_ORIGIN);
    }

    @Test
    void smallerLimitOfTheNextProcessHolds() {
        GuestRateLimiter first = limiter(RateLimitMode.WINDOW, MAX_BYTES);
        take(first, 399_000_000, 600);

        GuestRateLimiter second = next(first, RateLimitMode.WINDOW, 500);

        assertEquals(0, second.grant(0, 1));
    }

    @Test
    void usedBurstIsNotGivenAgain() {
        RateLimitConfig config =
                new RateLimitConfig(RateLimitMode.WINDOW, MAX_BYTES, PERIOD_MILLIS, GuestRateLimiter.UNLIMITED, 100);
        GuestRateLimiter first = new GuestRateLimiter(config);
        take(first, 399_000_000, MAX_BYTES + 100);
        first.keep(memory, 8, FIRST_ORIGIN);

        GuestRateLimiter second = new GuestRateLimiter(config);
        second.resume(0, memory, 8, SECOND_ORIGIN);

        assertEquals(0, second.grant(0, 1));
    }

    /** Grants and charges bytes of a flow. Returns their number. */
    private static long take(DrrGuestFlow flow, long now, long wanted) {
        long granted = flow.grant(now, wanted);
        if (granted > 0) {
            flow.charge(now, granted);
        }
        return granted;
    }

    @ParameterizedTest
    @EnumSource
    void usedUpTotalStaysUsedUp(RateLimitMode mode) {
        RateLimitConfig config = RateLimitConfig.ofBytes(mode, MAX_BYTES, PERIOD_MILLIS);
        DeficitRoundRobin first = new DeficitRoundRobin(config, () -> {});
        first.persistIn(memory, false, 0, FIRST_ORIGIN);
        DrrGuestFlow flow = first.addFlow(DrrGuestConfig.DEFAULT);
        while (take(flow, 399_000_000, MAX_BYTES) > 0) {
            // Uses up the total. Nothing is committed: the process ends before the guest sees the bytes.
        }

        DeficitRoundRobin second = new DeficitRoundRobin(config, () -> {});
        second.persistIn(memory, true, 0, SECOND_ORIGIN);

        assertEquals(0, second.addFlow(DrrGuestConfig.DEFAULT).grant(0, MAX_BYTES));
    }

    @ParameterizedTest
    @EnumSource
    void totalIsUnusedInMemoryThatNoProcessHasUsed(RateLimitMode mode) {
        DeficitRoundRobin scheduler =
                new DeficitRoundRobin(RateLimitConfig.ofBytes(mode, MAX_BYTES, PERIOD_MILLIS), () -> {});

        scheduler.persistIn(memory, true, 0, SECOND_ORIGIN);

        assertEquals(64, scheduler.addFlow(DrrGuestConfig.DEFAULT).grant(0, 64));
    }

    /** Continues from random bytes instead of a state: no window may get more than its limit. */
    @ParameterizedTest
    @EnumSource
    void anyContentsGrantAtMostTheLimit(RateLimitMode mode) {
        Random random = new Random(42);
        byte[] contents = new byte[(int) memory.byteSize()];
        for (int i = 0; i < 1000; i++) {
            random.nextBytes(contents);
            memory.copyFrom(MemorySegment.ofArray(contents));
            GuestRateLimiter limiter = limiter(mode, MAX_BYTES);
            limiter.resume(0, memory, 8, SECOND_ORIGIN);
            long granted = 0;
            for (long now = 0; now < PERIOD; now += PERIOD / 16) {
                granted += Math.max(0, take(limiter, now, MAX_BYTES));
            }
            long seen = granted;
            assertTrue(granted <= 2 * MAX_BYTES, () -> seen + " bytes in a period");
        }
    }

    @Test
    void damagedUsageOfTheTotalIsNoticed() {
        RateLimitConfig config = RateLimitConfig.ofBytes(RateLimitMode.WINDOW, MAX_BYTES, PERIOD_MILLIS);
        new DeficitRoundRobin(config, () -> {}).persistIn(memory, false, 0, FIRST_ORIGIN);
        int lastCopy = DeficitRoundRobin.PERSISTED_BYTES / 2;
        byte before = memory.get(ValueLayout.JAVA_BYTE, lastCopy + 8);
        memory.set(ValueLayout.JAVA_BYTE, lastCopy + 8, (byte) (before ^ 1));

        assertFalse(new DeficitRoundRobin(config, () -> {}).persistIn(memory, true, 0, SECOND_ORIGIN));
    }
}
