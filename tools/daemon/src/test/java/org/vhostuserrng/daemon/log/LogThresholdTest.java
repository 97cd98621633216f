package org.vhostuserrng.daemon.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The level of the daemon's log. The tests themselves run with {@code off}. */
class LogThresholdTest {
    private static final String OWN = "vhost-user-rng.log.org.example";

    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
    private final PrintStream stderr = System.err;
    private final DaemonLogger logger = new DaemonLogger("org.other.Name");

    @BeforeEach
    void capture() {
        System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() {
        System.setErr(stderr);
        LogThreshold.set(null);
        System.clearProperty(OWN);
    }

    @Test
    void levelChangesForLoggersThatExist() {
        LogThreshold.set("warn");
        logger.info("hidden");
        LogThreshold.set("debug");

        logger.debug("shown {}", 1);

        assertEquals("DEBUG shown 1\n", lines.toString(StandardCharsets.UTF_8));
        assertEquals("debug", LogThreshold.get());
    }

    @Test
    void withoutALevelThatOfThePropertyApplies() {
        LogThreshold.set("debug");

        LogThreshold.set(null);

        assertEquals("off", LogThreshold.get());
        assertFalse(logger.isErrorEnabled());
    }

    @Test
    void aLoggerHasTheLevelOfItsPrefix() {
        System.setProperty(OWN, "debug");
        LogThreshold.set("error");

        DaemonLogger own = new DaemonLogger("org.example.sub.Name");

        assertTrue(own.isDebugEnabled());
        assertFalse(new DaemonLogger("org.examples.Name").isInfoEnabled());
    }

    @Test
    void stackTraceFollowsItsLine() {
        LogThreshold.set("error");

        logger.error("a bug", new IllegalStateException("why"));

        assertTrue(
                lines.toString(StandardCharsets.UTF_8)
                        .startsWith("ERROR a bug\njava.lang.IllegalStateException: why\n\tat "),
                lines::toString);
    }
}
