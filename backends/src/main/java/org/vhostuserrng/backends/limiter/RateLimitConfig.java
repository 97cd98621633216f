package org.vhostuserrng.backends.limiter;

/**
 * The configuration of a rate limit.
 *
 * @param mode how the bytes are distributed over a period
 * @param maxBytes maximum number of bytes per period, at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
 * @param periodMillis length of a period in milliseconds, 1 to {@link GuestRateLimiter#MAX_PERIOD_MILLIS}
 * @param ops maximum number of requests per period, at least 1; {@link GuestRateLimiter#UNLIMITED} for no limit
 * @param burst number of additional bytes that may be used once, at least 0
 */
public record RateLimitConfig(RateLimitMode mode, long maxBytes, int periodMillis, long ops, long burst) {
    /** No limit. */
    public static final RateLimitConfig NONE = new RateLimitConfig(
            RateLimitMode.SMOOTH,
            GuestRateLimiter.UNLIMITED,
            GuestRateLimiter.MAX_PERIOD_MILLIS,
            GuestRateLimiter.UNLIMITED,
            0);

    /** Validates the ranges. */
    public RateLimitConfig {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("max-bytes " + maxBytes);
        }
        if (periodMillis < 1 || periodMillis > GuestRateLimiter.MAX_PERIOD_MILLIS) {
            throw new IllegalArgumentException("period " + periodMillis);
        }
        if (ops < 1) {
            throw new IllegalArgumentException("ops " + ops);
        }
        if (burst < 0) {
            throw new IllegalArgumentException("burst " + burst);
        }
    }

    /** Creates a limit of bytes only. */
    public static RateLimitConfig ofBytes(RateLimitMode mode, long maxBytes, int periodMillis) {
        return new RateLimitConfig(mode, maxBytes, periodMillis, GuestRateLimiter.UNLIMITED, 0);
    }

    RateLimiter newBytesLimit() {
        return RateLimiter.of(mode, maxBytes, periodMillis, RateLimiter.TYPICAL_REQUEST_BYTES);
    }

    RateLimiter newOpsLimit() {
        return RateLimiter.of(mode, ops, periodMillis, 1);
    }
}
