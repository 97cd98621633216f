package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * Ranges of the numeric options, inclusive. The other commands have a separate class for this, because the daemon does
 * not load picocli.
 */
enum DaemonOptionRange {
    MAX_BYTES(1, GuestRateLimiter.UNLIMITED),
    PERIOD_MILLIS(1, GuestRateLimiter.MAX_PERIOD_MILLIS),
    OPS(1, GuestRateLimiter.UNLIMITED),
    BURST_BYTES(0, GuestRateLimiter.UNLIMITED),
    MIN_BYTES(0, GuestRateLimiter.UNLIMITED),
    WEIGHT(1, DrrGuestConfig.MAX_WEIGHT),
    SOCKET_COUNT(1, DaemonCommand.MAX_SOCKETS),
    SPIN_MICROS(0, 1000),
    MAX_GUEST_MEMORY_GIB(1, VhostUserOptions.ADDRESS_SPACE_BYTES >> 30),
    /** Descriptors 0 to 2 are the standard streams. */
    FD(3, Integer.MAX_VALUE),
    HOLD_FDS(1, HoldOptions.MAX_FDS),
    HOLD_SECONDS(1, 86_400);

    private final long min;
    private final long max;

    DaemonOptionRange(long min, long max) {
        this.min = min;
        this.max = max;
    }

    /**
     * Parses an option's value.
     *
     * @throws BadUsageException if it is not a number within the range
     */
    long parse(String option, String value) throws BadUsageException {
        long number;
        try {
            number = Long.parseLong(value);
        } catch (NumberFormatException notANumber) {
            throw outOfRange(option, value);
        }
        if (number < min || number > max) {
            throw outOfRange(option, value);
        }
        return number;
    }

    private BadUsageException outOfRange(String option, String value) {
        return new BadUsageException(option + "='" + value + "': expected a number from " + this);
    }

    /** The range in texts, such as {@code 1 to 4096}. */
    @Override
    public String toString() {
        return min + " to " + text(max);
    }

    /** A number in texts. */
    static String text(long number) {
        return number == Long.MAX_VALUE ? "2^63-1" : Long.toString(number);
    }
}
