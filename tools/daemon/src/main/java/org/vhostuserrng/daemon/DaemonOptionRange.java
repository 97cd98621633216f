package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * The permitted values of the numeric options, both ends included. The other commands have a class of their own for
 * this, which needs picocli; the daemon does not load picocli.
 */
enum DaemonOptionRange {
    MAX_BYTES(1, GuestRateLimiter.UNLIMITED, NumberUnit.BYTES),
    PERIOD_MILLIS(1, GuestRateLimiter.MAX_PERIOD_MILLIS, NumberUnit.MILLIS),
    OPS(1, GuestRateLimiter.UNLIMITED, NumberUnit.NONE),
    BURST_BYTES(0, GuestRateLimiter.UNLIMITED, NumberUnit.BYTES),
    MIN_BYTES(0, GuestRateLimiter.UNLIMITED, NumberUnit.BYTES),
    WEIGHT(1, DrrGuestConfig.MAX_WEIGHT, NumberUnit.NONE),
    SOCKET_COUNT(1, DaemonCommand.MAX_SOCKETS, NumberUnit.NONE),
    SPIN_MICROS(0, 1000, NumberUnit.MICROS),
    /** The minimum is 1 MiB: every Linux guest has more memory. */
    MAX_GUEST_MEMORY_BYTES(1 << 20, VhostUserOptions.ADDRESS_SPACE_BYTES, NumberUnit.GIB),
    /** The minimum is 3: descriptors 0 to 2 are the standard streams. */
    FD(3, Integer.MAX_VALUE, NumberUnit.NONE),
    HOLD_FDS(1, HoldOptions.MAX_FDS, NumberUnit.NONE),
    HOLD_SECONDS(1, 86_400, NumberUnit.SECONDS);

    private final long min;
    private final long max;
    private final NumberUnit unit;

    DaemonOptionRange(long min, long max, NumberUnit unit) {
        this.min = min;
        this.max = max;
        this.unit = unit;
    }

    /**
     * Parses the value of an option.
     *
     * @return the number, in the unit that this constant's name contains
     * @throws BadUsageException if the value is not a number within the range
     */
    long parse(String option, String value) throws BadUsageException {
        long number;
        try {
            number = unit.parse(value);
        } catch (NumberFormatException notANumber) {
            throw outOfRange(option, value);
        }
        if (number < min || number > max) {
            throw outOfRange(option, value);
        }
        return number;
    }

    private BadUsageException outOfRange(String option, String value) {
        return new BadUsageException(option + "='" + value + "': expected a number from " + unit.describe(min, max));
    }

    /** Returns text such as {@code 1 to 4096}, in the unit of a number without a suffix. */
    @Override
    public String toString() {
        return unit.range(min, max);
    }
}
