package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

import java.io.IOException;
import java.time.Duration;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendSession;

/**
 * The one time limit the daemon promises: whatever another guest does, and however throttled a guest is, its request or
 * message is answered within 100 ms.
 */
final class ResponsivenessAssertions {
    static final Duration LIMIT = Duration.ofMillis(100);

    private static final int WARM_UP_REQUESTS = 500;

    private ResponsivenessAssertions() {}

    /** A guest that was served often enough for the JVMs at both ends to have compiled what serving takes. */
    static EntropyDriver warmed(EntropyDriver guest) throws IOException {
        for (int i = 0; i < WARM_UP_REQUESTS; i++) {
            guest.request(64, PATIENCE);
        }
        return guest;
    }

    static void assertServedPromptly(EntropyDriver guest) throws IOException {
        long start = System.nanoTime();
        guest.request(64, PATIENCE);
        assertWithinLimit("a request", start);
    }

    static void assertAnsweredPromptly(FrontendSession session) throws IOException {
        long start = System.nanoTime();
        session.getFeatures();
        assertWithinLimit("GET_FEATURES", start);
    }

    private static void assertWithinLimit(String what, long start) {
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        assertTrue(took.compareTo(LIMIT) <= 0, () -> what + " took " + took.toMillis() + " ms");
    }
}
