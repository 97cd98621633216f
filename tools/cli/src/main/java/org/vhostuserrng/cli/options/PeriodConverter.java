package org.vhostuserrng.cli.options;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/** Parses {@code --period}, with the same range as the daemon's option. */
public final class PeriodConverter extends IntegerRangeConverter {
    public PeriodConverter() {
        super(1, GuestRateLimiter.MAX_PERIOD_MILLIS);
    }
}
