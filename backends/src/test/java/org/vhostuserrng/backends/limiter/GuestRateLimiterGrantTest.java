package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the sizes and times of single grants. */
class GuestRateLimiterGrantTest {
    private static final long MAX_BYTES = 1 << 20;
    private static final long SLICE = MAX_BYTES / 64;
    private static final long REQUEST = 64;

    private static GuestRateLimiter smooth(long burst) {
        return new GuestRateLimiter(
                new RateLimitConfig(RateLimitMode.SMOOTH, MAX_BYTES, 1000, GuestRateLimiter.UNLIMITED, burst));
    }

    private static void use(GuestRateLimiter limiter, long bytes) {
        assertEquals(bytes, limiter.grant(0, bytes));
        limiter.charge(0, bytes);
        limiter.commit(0);
    }

    @Test
    void withoutABurstARequestWaitsForAllItsBytes() {
        GuestRateLimiter limiter = smooth(0);

        use(limiter, SLICE - 10);

        assertEquals(0, limiter.grant(0, REQUEST));
    }

    @Test
    void burstProvidesTheMissingBytesOnly() {
        GuestRateLimiter limiter = smooth(1000);
        use(limiter, SLICE - 10);

        long granted = limiter.grant(0, REQUEST);
        limiter.charge(0, granted);

        assertEquals(REQUEST, granted);
        assertEquals(REQUEST - 10, limiter.usage(0).burst());
    }

    @Test
    void restOfTheBurstIsGrantedWithTheRestOfTheSlice() {
        GuestRateLimiter limiter = smooth(20);
        use(limiter, SLICE - 10);

        assertEquals(30, limiter.grant(0, REQUEST));
    }

    /**
     * In the second row, the time that is computed for the request in double precision is too short for its last byte.
     */
    @ParameterizedTest
    @CsvSource({"1024, 1000, 64, 64", "10236, 34358, 160, 128"})
    void requestIsGrantedAtItsNextGrantTimeAndNotBefore(long maxBytes, int periodMillis, long slice, long request) {
        GuestRateLimiter limiter = new GuestRateLimiter(RateLimitMode.SMOOTH, maxBytes, periodMillis);
        use(limiter, slice);
        limiter.grant(0, request);
        long time = limiter.nextGrantTime();

        assertEquals(0, limiter.grant(time - 1, request));
        assertEquals(request, limiter.grant(time, request));
    }
}
