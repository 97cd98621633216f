package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HealthFailureHistoryTest {
    /**
     * Expected time between false positives, for which a second failure within 10 s is an alarm, and a third one within
     * 43 minutes.
     */
    private static final long EXPECTED = TimeUnit.SECONDS.toNanos(10) << 14;

    private long now = Long.MAX_VALUE - 5;
    private final HealthFailureHistory history = new HealthFailureHistory(() -> now);

    /** Adds a failure of a source that had passed its start-up tests. */
    private boolean failAfter(long seconds) {
        now += TimeUnit.SECONDS.toNanos(seconds);
        history.passedStartup();
        return history.addFailure(EXPECTED);
    }

    @Test
    void firstFailureIsNoAlarm() {
        assertFalse(failAfter(0));
    }

    @Test
    void secondFailureSoonIsAnAlarm() {
        failAfter(0);

        assertTrue(failAfter(10));
    }

    @Test
    void secondFailureLaterIsNoAlarm() {
        failAfter(0);

        assertFalse(failAfter(11));
    }

    @Test
    void thirdFailureInAnHourIsAnAlarm() {
        failAfter(0);
        failAfter(1200);

        assertTrue(failAfter(1200));
    }

    @Test
    void failuresThatChanceExplainsAreNoAlarms() {
        for (int i = 0; i < 10; i++) {
            assertFalse(failAfter(TimeUnit.HOURS.toSeconds(1)));
        }
    }

    @Test
    void failedRepetitionOfTheStartupTestsIsAnAlarmHoweverLongItTakes() {
        history.addFailure(EXPECTED);
        now += TimeUnit.DAYS.toNanos(1);

        assertTrue(history.addFailure(EXPECTED));
    }

    @Test
    void failuresOfSlowSourceMoreThanADayApartAreNoAlarms() {
        long years = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            now += TimeUnit.HOURS.toNanos(13);
            history.passedStartup();

            assertFalse(history.addFailure(years));
        }
    }
}
