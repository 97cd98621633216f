package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RestartDelayTest {
    private static final long SHORT = TimeUnit.MILLISECONDS.toNanos(10);

    private final RestartDelay delay = new RestartDelay();

    private void endAtOnce(int times) {
        for (int i = 0; i < times; i++) {
            delay.after(SHORT);
        }
    }

    @Test
    void theFirstRestartsAreImmediate() {
        for (int i = 0; i < RestartDelay.SHORT_RUNS_WITHOUT_DELAY; i++) {
            assertEquals(0, delay.after(SHORT));
        }
    }

    @Test
    void theDelayDoubles() {
        endAtOnce(RestartDelay.SHORT_RUNS_WITHOUT_DELAY);

        assertEquals(RestartDelay.FIRST_DELAY_NANOS, delay.after(SHORT));
        assertEquals(2 * RestartDelay.FIRST_DELAY_NANOS, delay.after(SHORT));
    }

    @Test
    void theDelayIsBounded() {
        endAtOnce(10_000);

        assertEquals(RestartDelay.MAX_DELAY_NANOS, delay.after(SHORT));
    }

    @Test
    void aLongRunEndsTheDelay() {
        endAtOnce(100);

        assertEquals(0, delay.after(RestartDelay.SHORT_RUN_NANOS));
        assertEquals(0, delay.after(SHORT));
    }
}
