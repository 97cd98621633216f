package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateLimitConfigTest {
    @ParameterizedTest
    @CsvSource({"1, 1, 1, 0", "9223372036854775807, 65536, 9223372036854775807, 9223372036854775807"})
    void acceptsTheEndsOfTheRanges(long maxBytes, int periodMillis, long ops, long burst) {
        assertDoesNotThrow(() -> new RateLimitConfig(RateLimitMode.SMOOTH, maxBytes, periodMillis, ops, burst));
    }

    @ParameterizedTest
    @CsvSource({"0, 1, 1, 0", "1, 0, 1, 0", "1, 65537, 1, 0", "1, 1, 0, 0", "1, 1, 1, -1"})
    void rejectsValuesOutsideTheRanges(long maxBytes, int periodMillis, long ops, long burst) {
        assertThrows(
                IllegalArgumentException.class,
                () -> new RateLimitConfig(RateLimitMode.SMOOTH, maxBytes, periodMillis, ops, burst));
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "1000, 9223372036854775807"})
    void acceptsTheEndsOfTheRangesOfAShare(int weight, long minBytes) {
        assertDoesNotThrow(() -> new DrrGuestConfig(weight, minBytes));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1001, 0", "1, -1"})
    void rejectsSharesOutsideTheRanges(int weight, long minBytes) {
        assertThrows(IllegalArgumentException.class, () -> new DrrGuestConfig(weight, minBytes));
    }

    @Test
    void noLimitIsAlwaysFullAndGrantsASingleByte() {
        RateLimiter none = RateLimitConfig.NONE.newBytesLimit();

        assertTrue(none.isFull(0));
        assertEquals(1, none.minGrant(64));
    }
}
