package org.vhostuserrng.libc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LogLineLimiterTest {
    private static final long INTERVAL = 1000;

    private long now = 5;
    private final LogLineLimiter limiter = new LogLineLimiter(2, INTERVAL, () -> now);

    @Test
    void permitsTheMaximumPerInterval() {
        assertTrue(limiter.mayWrite());
        assertTrue(limiter.mayWrite());
        assertFalse(limiter.mayWrite());

        now += INTERVAL;

        assertTrue(limiter.mayWrite());
    }

    @Test
    void reportsSuppressedLinesOnceTheIntervalIsOver() {
        for (int i = 0; i < 9; i++) {
            limiter.mayWrite();
        }
        assertEquals(0, limiter.takeSuppressed());
        assertEquals(now + INTERVAL, limiter.suppressedDueAt());

        now += INTERVAL;

        assertEquals(7, limiter.takeSuppressed());
        assertEquals(0, limiter.takeSuppressed());
        assertEquals(Long.MAX_VALUE, limiter.suppressedDueAt());
    }

    @Test
    void signalsAreLoggedALimitedNumberOfTimes() {
        List<String> lines = new ArrayList<>();
        SurvivedSignalLog log = new SurvivedSignalLog(() -> now, lines::add);
        for (int i = 0; i < 100; i++) {
            log.received(ServiceSignals.SIGHUP);
        }
        now += TimeUnit.MINUTES.toNanos(1);
        log.received("SIGUSR1");

        assertEquals(SurvivedSignalLog.MAX_LINES_PER_MINUTE + 2, lines.size());
        assertTrue(lines.getFirst().startsWith("SIGHUP: there is nothing to reload"), lines::toString);
        assertTrue(lines.contains("signals: 90 more lines suppressed"), lines::toString);
    }
}
