package org.vhostuserrng.backends.health;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Tells failed tests that chance explains from an alarm. A single failure is repeated by chance so soon only once in
 * thousands of times, so a second one weighs more than the first. Confined to one thread.
 */
final class HealthFailureHistory {
    /** Share of the expected time between false positives within which a second failure is an alarm: 2^−14. */
    private static final int SECOND_FAILURE_SHIFT = 14;

    private static final long MAX_SECOND_FAILURE_NANOS = TimeUnit.HOURS.toNanos(1);
    /** Share of the expected time between false positives within which a third failure is an alarm: 2^−6. */
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

    /** The source has passed its start-up tests. */
    void passedStartup() {
        passedStartupSince = true;
    }

    /**
     * Adds a failed test.
     *
     * @param expectedNanosBetween expected time between false positives at the rate of the source
     * @return whether it is an alarm: a failure of the start-up tests that the failure before made necessary, or a
     *     second or third failure in a time in which chance hardly explains so many
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
