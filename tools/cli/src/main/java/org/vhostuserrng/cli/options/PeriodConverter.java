package org.vhostuserrng.cli.options;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/** {@code --period}, as the daemon takes it. */
public final class PeriodConverter extends IntegerRangeConverter {
    public PeriodConverter() {
        super(1, GuestRateLimiter.MAX_PERIOD_MILLIS);
    }
}
