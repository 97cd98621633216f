package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class FrontendEventFdTest {
    @Test
    void readReturnsAndResetsTheNumberOfSignals() throws Exception {
        try (FrontendEventFd eventFd = new FrontendEventFd()) {
            eventFd.signal();
            eventFd.signal();

            assertEquals(2, eventFd.read());
            assertEquals(0, eventFd.read());
        }
    }

    @Test
    void awaitAndReadReturnsZeroAfterTheTimeout() throws Exception {
        try (FrontendEventFd eventFd = new FrontendEventFd()) {
            assertEquals(0, eventFd.awaitAndRead(Duration.ofMillis(1)));
        }
    }

    @Test
    void awaitAndReadReturnsAnEarlierSignal() throws Exception {
        try (FrontendEventFd eventFd = new FrontendEventFd()) {
            eventFd.signal();

            assertEquals(1, eventFd.awaitAndRead(Duration.ofSeconds(60)));
        }
    }
}
