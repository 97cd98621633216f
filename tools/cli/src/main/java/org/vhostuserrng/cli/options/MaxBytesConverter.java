package org.vhostuserrng.cli.options;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/** Parses {@code --max-bytes}, with the same range as the daemon's option. */
public final class MaxBytesConverter extends LongRangeConverter {
    public MaxBytesConverter() {
        super(1, GuestRateLimiter.UNLIMITED);
    }
}
