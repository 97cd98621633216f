package org.vhostuserrng.backends.health;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Distinguishes failed tests that chance can explain from an alarm. A second failure soon after the first one is an
 * alarm, because only one in thousands of failures is followed by another one by chance so soon. Confined to one
 * thread.
 */
final class HealthFailureHistory {
    /** A second failure is an alarm within 2^−14 of the expected time between false positives. */
    private static final int SECOND_FAILURE_SHIFT = 14;

    private static final long MAX_SECOND_FAILURE_NANOS = TimeUnit.HOURS.toNanos(1);
    /** A third failure is an alarm within 2^−6 of the expected time between false positives. */
    private static final int THIRD_FAILURE_SHIFT = 6;

    private static final long MAX_THIRD_FAILURE_NANOS = TimeUnit.DAYS.toNanos(1);

    private final LongSupplier nanoClock;
    private int failures;
    private long last;
    private long secondLast;
    private boolean passedStartupSince;

    HealthFailureHistory(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** Records that the source has passed its start-up tests. */
    void passedStartup() {
        passedStartupSince = true;
    }

    /**
     * Adds a failed test.
     *
     * @param expectedNanosBetween expected time in nanoseconds between false positives at the rate of the source
     * @return whether the failure is an alarm: a failure of the start-up tests that were repeated after the previous
     *     failure, or a second or third failure in too short a time to be explained by chance
     */
    boolean addFailure(long expectedNanosBetween) {
        long now = nanoClock.getAsLong();
        long second = Math.min(expectedNanosBetween >> SECOND_FAILURE_SHIFT, MAX_SECOND_FAILURE_NANOS);
        long third = Math.min(expectedNanosBetween >> THIRD_FAILURE_SHIFT, MAX_THIRD_FAILURE_NANOS);
        boolean alarm = (failures > 0 && (!passedStartupSince || now - last <= second))
                || (failures > 1 && now - secondLast <= third);
        secondLast = last;
        last = now;
        failures++;
        passedStartupSince = false;
        return alarm;
    }
}
