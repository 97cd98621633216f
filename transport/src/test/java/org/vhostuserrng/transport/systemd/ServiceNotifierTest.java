package org.vhostuserrng.transport.systemd;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the environment variables. The integration tests of the packaged daemon test the datagrams. */
class ServiceNotifierTest {
    private static final long PID = 4711;

    private static long watchdogTimeout(String micros, String pid) throws IOException {
        Map<String, String> environment =
                Map.of("NOTIFY_SOCKET", "@no-receiver", "WATCHDOG_USEC", micros, "WATCHDOG_PID", pid);
        try (ServiceNotifier notifier = ServiceNotifier.open(environment, PID)) {
            return notifier.watchdogTimeoutNanos();
        }
    }

    @Test
    void withoutAServiceManagerNothingIsSent() throws IOException {
        try (ServiceNotifier notifier = ServiceNotifier.open(Map.of("WATCHDOG_USEC", "1000"), PID)) {
            assertEquals(0, notifier.watchdogTimeoutNanos());
            assertDoesNotThrow(() -> notifier.ready("listening"));
        }
    }

    @Test
    void aServiceManagerThatIsGoneDoesNotStopTheService() throws IOException {
        try (ServiceNotifier notifier = ServiceNotifier.open(Map.of("NOTIFY_SOCKET", "@no-receiver"), PID)) {
            assertDoesNotThrow(notifier::watchdog);
        }
    }

    @Test
    void theWatchdogTimeoutIsInMicroseconds() throws IOException {
        assertEquals(2_000_000_000, watchdogTimeout("2000000", "4711"));
    }

    @Test
    void aWatchdogOfAnotherProcessIsIgnored() throws IOException {
        assertEquals(0, watchdogTimeout("2000000", "4712"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "2s", ""})
    void aMalformedWatchdogTimeoutIsReported(String micros) {
        IOException refusal = assertThrows(IOException.class, () -> watchdogTimeout(micros, "4711"));

        assertTrue(refusal.getMessage().contains("WATCHDOG_USEC='" + micros + "': expected"), refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"relative/path", "vsock:2:1234", "@", "/"})
    void anAddressOfAnotherFormIsReported(String address) {
        IOException refusal =
                assertThrows(IOException.class, () -> ServiceNotifier.open(Map.of("NOTIFY_SOCKET", address), PID));

        assertTrue(refusal.getMessage().contains("NOTIFY_SOCKET='" + address + "': expected"), refusal.getMessage());
    }
}
