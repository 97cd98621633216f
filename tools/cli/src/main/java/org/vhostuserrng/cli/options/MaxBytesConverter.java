package org.vhostuserrng.cli.options;

import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/** {@code --max-bytes}, as the daemon takes it. */
public final class MaxBytesConverter extends LongRangeConverter {
    public MaxBytesConverter() {
        super(1, GuestRateLimiter.UNLIMITED);
    }
}
