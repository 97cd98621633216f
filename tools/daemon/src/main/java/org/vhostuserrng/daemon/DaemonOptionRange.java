package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/** Whole numbers that an option takes, both ends included. */
enum DaemonOptionRange {
    MAX_BYTES(1, GuestRateLimiter.UNLIMITED),
    PERIOD(1, GuestRateLimiter.MAX_PERIOD_MILLIS),
    OPS(1, GuestRateLimiter.UNLIMITED),
    BURST(0, GuestRateLimiter.UNLIMITED),
    MIN_BYTES(0, GuestRateLimiter.UNLIMITED),
    WEIGHT(1, DrrGuestConfig.MAX_WEIGHT),
    SOCKET_COUNT(1, DaemonCommand.MOST_SOCKETS),
    SPIN_MICROS(0, 1000),
    /** 0 to 2 are the standard streams. */
    DESCRIPTOR(3, Integer.MAX_VALUE);

    private final long least;
    private final long most;

    DaemonOptionRange(long least, long most) {
        this.least = least;
        this.most = most;
    }

    /** Reads a number within the bounds. */
    long read(String option, String value) throws BadUsageException {
        long number;
        try {
            number = Long.parseLong(value);
        } catch (NumberFormatException notANumber) {
            throw refused(option, value);
        }
        if (number < least || number > most) {
            throw refused(option, value);
        }
        return number;
    }

    private BadUsageException refused(String option, String value) {
        return new BadUsageException(
                option + "='" + value + "': expected a whole number from " + least + " to " + most);
    }
}
