package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class FrontendEventFdTest {
    @Test
    void takeReturnsHowOftenItWasSignalledAndClearsIt() throws Exception {
        try (FrontendEventFd eventFd = new FrontendEventFd()) {
            eventFd.signal();
            eventFd.signal();

            assertEquals(2, eventFd.take());
            assertEquals(0, eventFd.take());
        }
    }

    @Test
    void awaitGivesUpWhenNobodySignals() throws Exception {
        try (FrontendEventFd eventFd = new FrontendEventFd()) {
            assertEquals(0, eventFd.await(Duration.ofMillis(1)));
        }
    }

    @Test
    void awaitTakesWhatWasSignalledBefore() throws Exception {
        try (FrontendEventFd eventFd = new FrontendEventFd()) {
            eventFd.signal();

            assertEquals(1, eventFd.await(Duration.ofSeconds(5)));
        }
    }
}
