package org.vhostuserrng.backends.limiter;

/**
 * How much of something is given out in a time.
 *
 * @param mode how it is spread over a period
 * @param maxBytes bytes a period, at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
 * @param periodMillis length of a period, 1 to {@link GuestRateLimiter#LONGEST_PERIOD_MILLIS}
 * @param ops requests a period, at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
 * @param burst bytes that may be had once beyond all that, at least 0
 */
public record RateLimitConfig(RateLimitMode mode, long maxBytes, int periodMillis, long ops, long burst) {
    /** No limit at all. */
    public static final RateLimitConfig NONE = new RateLimitConfig(
            RateLimitMode.SMOOTH,
            GuestRateLimiter.UNLIMITED,
            GuestRateLimiter.LONGEST_PERIOD_MILLIS,
            GuestRateLimiter.UNLIMITED,
            0);

    /** Refuses what is out of range. */
    public RateLimitConfig {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("max-bytes " + maxBytes);
        }
        if (periodMillis < 1 || periodMillis > GuestRateLimiter.LONGEST_PERIOD_MILLIS) {
            throw new IllegalArgumentException("period " + periodMillis);
        }
        if (ops < 1) {
            throw new IllegalArgumentException("ops " + ops);
        }
        if (burst < 0) {
            throw new IllegalArgumentException("burst " + burst);
        }
    }

    /** A limit of bytes only. */
    public static RateLimitConfig ofBytes(RateLimitMode mode, long maxBytes, int periodMillis) {
        return new RateLimitConfig(mode, maxBytes, periodMillis, GuestRateLimiter.UNLIMITED, 0);
    }

    RateLimit bytesAllowance() {
        return RateLimit.of(mode, maxBytes, periodMillis, RateLimit.TYPICAL_REQUEST);
    }

    RateLimit opsAllowance() {
        return RateLimit.of(mode, ops, periodMillis, 1);
    }
}
