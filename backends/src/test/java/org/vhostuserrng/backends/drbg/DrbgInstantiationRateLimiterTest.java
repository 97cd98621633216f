package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrbgInstantiationRateLimiterTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final DrbgInstantiationRateLimiter limiter = new DrbgInstantiationRateLimiter();

    private int acquireAll(long now) {
        int acquired = 0;
        while (limiter.tryAcquire(now)) {
            acquired++;
        }
        return acquired;
    }

    @Test
    void allowsBurstAtOnce() {
        assertEquals(DrbgInstantiationRateLimiter.BURST, acquireAll(0));
    }

    @Test
    void allowsOneMoreAfterASecond() {
        acquireAll(0);

        assertFalse(limiter.tryAcquire(SECOND - 1));
        assertTrue(limiter.tryAcquire(SECOND));
        assertFalse(limiter.tryAcquire(SECOND));
    }

    @Test
    void neverAccumulatesMoreThanTheBurst() {
        acquireAll(0);

        assertEquals(DrbgInstantiationRateLimiter.BURST, acquireAll(1000 * SECOND));
    }

    @Test
    void logsRefusalsOnceAMinute() {
        long minute = 60 * SECOND;

        assertTrue(limiter.shouldLogRefusal(0));
        assertFalse(limiter.shouldLogRefusal(minute - 1));
        assertTrue(limiter.shouldLogRefusal(minute));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void neverAllowsMoreThanTheBurstPlusOnePerSecond(long seed) {
        Random random = new Random(seed);
        long now = 0;
        int acquired = 0;

        for (int i = 0; i < 10_000; i++) {
            now += random.nextLong(SECOND / 4);
            acquired += limiter.tryAcquire(now) ? 1 : 0;
        }

        assertTrue(acquired <= DrbgInstantiationRateLimiter.BURST + now / SECOND, acquired + " in " + now + " ns");
        assertTrue(acquired >= now / SECOND, acquired + " in " + now + " ns");
    }
}
