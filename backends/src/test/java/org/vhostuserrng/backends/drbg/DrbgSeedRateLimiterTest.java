package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrbgSeedRateLimiterTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final DrbgSeedRateLimiter budget = new DrbgSeedRateLimiter();

    private int takeAll(long now) {
        int taken = 0;
        while (budget.take(now)) {
            taken++;
        }
        return taken;
    }

    @Test
    void allowsABurstAtOnce() {
        assertEquals(DrbgSeedRateLimiter.BURST, takeAll(0));
    }

    @Test
    void allowsAnotherASecondLater() {
        takeAll(0);

        assertFalse(budget.take(SECOND - 1));
        assertTrue(budget.take(SECOND));
        assertFalse(budget.take(SECOND));
    }

    @Test
    void doesNotSaveUpMoreThanTheBurst() {
        takeAll(0);

        assertEquals(DrbgSeedRateLimiter.BURST, takeAll(1000 * SECOND));
    }

    @Test
    void hasARefusalToldOnceAMinute() {
        long minute = 60 * SECOND;

        assertTrue(budget.isToBeTold(0));
        assertFalse(budget.isToBeTold(minute - 1));
        assertTrue(budget.isToBeTold(minute));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void neverAllowsMoreThanTheBurstAndOneASecond(long seed) {
        Random random = new Random(seed);
        long now = 0;
        int taken = 0;

        for (int i = 0; i < 10_000; i++) {
            now += random.nextLong(SECOND / 4);
            taken += budget.take(now) ? 1 : 0;
        }

        assertTrue(taken <= DrbgSeedRateLimiter.BURST + now / SECOND, taken + " in " + now + " ns");
        assertTrue(taken >= now / SECOND, taken + " in " + now + " ns");
    }
}
