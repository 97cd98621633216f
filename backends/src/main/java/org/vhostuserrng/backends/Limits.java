package org.vhostuserrng.backends;

/**
 * How much of something is given out in a time.
 *
 * @param mode how it is spread over a period
 * @param maxBytes bytes a period, at least 1; {@link Quota#UNLIMITED} for no limit
 * @param periodMillis length of a period, 1 to {@link Quota#LONGEST_PERIOD_MILLIS}
 * @param ops requests a period, at least 1; {@link Quota#UNLIMITED} for no limit
 * @param burst bytes that may be had once beyond all that, at least 0
 */
public record Limits(LimitMode mode, long maxBytes, int periodMillis, long ops, long burst) {
    /** No limit at all. */
    public static final Limits NONE =
            new Limits(LimitMode.SMOOTH, Quota.UNLIMITED, Quota.LONGEST_PERIOD_MILLIS, Quota.UNLIMITED, 0);

    /** Refuses what is out of range. */
    public Limits {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("max-bytes " + maxBytes);
        }
        if (periodMillis < 1 || periodMillis > Quota.LONGEST_PERIOD_MILLIS) {
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
    public static Limits ofBytes(LimitMode mode, long maxBytes, int periodMillis) {
        return new Limits(mode, maxBytes, periodMillis, Quota.UNLIMITED, 0);
    }

    Allowance bytesAllowance() {
        return Allowance.of(mode, maxBytes, periodMillis, Allowance.TYPICAL_REQUEST);
    }

    Allowance opsAllowance() {
        return Allowance.of(mode, ops, periodMillis, 1);
    }
}
