package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SourceStallLogTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final SourceStallLog silence = new SourceStallLog();
    private long now = -10 * SECOND;

    /** Requests bytes once a second without success. Returns the number of log lines. */
    private int starve(int seconds) {
        int lines = 0;
        for (int i = 0; i < seconds; i++) {
            lines += silence.starved(now) ? 1 : 0;
            now += SECOND;
        }
        return lines;
    }

    @Test
    void shortSilenceIsNotLogged() {
        assertEquals(0, starve(5));
        assertFalse(silence.served());
    }

    @Test
    void longSilenceIsLoggedOnce() {
        assertEquals(1, starve(1000));
    }

    @Test
    void endOfLoggedSilenceIsLoggedOnce() {
        starve(6);

        assertTrue(silence.served());
        assertFalse(silence.served());
    }

    @Test
    void pauseWithoutAWaitingGuestIsNoSilence() {
        starve(3);
        now += 1000 * SECOND;

        assertEquals(0, starve(3));
    }

    @Test
    void failureInterruptsSilence() {
        starve(3);
        silence.failed();

        assertEquals(0, starve(3));
    }

    @Test
    void endIsLoggedAfterFailure() {
        starve(6);
        silence.failed();

        assertTrue(silence.served());
    }

    @Test
    void silenceThatComesAndGoesIsLoggedOnceAMinute() {
        int lines = 0;
        for (int i = 0; i < 60; i++) {
            lines += starve(6);
            silence.served();
        }

        assertEquals(6, lines);
    }

    @Test
    void isSilentUntilItServes() {
        starve(1);
        boolean starved = silence.isSilent();
        silence.served();

        assertTrue(starved);
        assertFalse(silence.isSilent());
    }
}
