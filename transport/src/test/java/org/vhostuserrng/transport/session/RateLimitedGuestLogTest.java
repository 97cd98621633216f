package org.vhostuserrng.transport.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RateLimitedGuestLogTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream stderr = System.err;
    private long now;
    private final RateLimitedGuestLog log = new RateLimitedGuestLog("guest", () -> now);

    @BeforeEach
    void captureLog() {
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restoreLog() {
        System.setErr(stderr);
    }

    private long lines() {
        return written.toString(StandardCharsets.UTF_8).lines().count();
    }

    @Test
    void writesTheMaximumNumberOfLinesPerMinute() {
        for (int i = 0; i < 1000; i++) {
            log.warn("again");
        }

        assertEquals(RateLimitedGuestLog.MAX_LINES_PER_MINUTE, lines());
    }

    @Test
    void reportsSuppressedLinesInTheNextMinute() {
        for (int i = 0; i < RateLimitedGuestLog.MAX_LINES_PER_MINUTE + 7; i++) {
            log.warn("again");
        }

        now = TimeUnit.MINUTES.toNanos(1);
        log.info("next");

        assertEquals(RateLimitedGuestLog.MAX_LINES_PER_MINUTE + 2, lines());
        assertEquals(
                1,
                written.toString(StandardCharsets.UTF_8)
                        .lines()
                        .filter(line -> line.contains("7 more lines"))
                        .count());
    }
}
