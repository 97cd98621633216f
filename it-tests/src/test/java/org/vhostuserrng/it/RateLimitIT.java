package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertAnsweredPromptly;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.EntropyDriver;

/** What each guest may have in a time: {@code --max-bytes}, {@code --period}, and what goes with them. */
class RateLimitIT {
    private static final String[] ONE_REQUEST_A_MINUTE = {"--max-bytes=64", "--period=60000"};

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
    }

    private static EntropyDriver throttledGuest(DaemonProcess daemon) throws IOException {
        EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
        guest.request(64, PATIENCE);
        offer(guest);
        return guest;
    }

    @Test
    void requestBeyondTheQuotaWaits() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertFalse(guest.awaitUsed(A_WHILE));
        }
    }

    @Test
    void waitingRequestIsServedWhenItsPeriodIsOver() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, "--max-bytes=64", "--period=400");

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    @Test
    void messagesAreAnsweredPromptlyWhileTheGuestIsThrottled() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertAnsweredPromptly(guest.session());
        }
    }

    @Test
    void throttledGuestHoldsUpNobodyElse() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon);
                EntropyDriver neighbour = EntropyDriver.start(daemon.socket(1))) {
            assertServedPromptly(neighbour);
            assertFalse(guest.ring().hasUsed());
        }
    }

    @Test
    void waitingRequestIsStillInTheRingWhenItStops() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertEquals(1, guest.session().stop());
        }
    }

    @Test
    void reconnectDoesNotRefillTheQuota() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            guest.request(64, PATIENCE);
        }

        try (EntropyDriver again = EntropyDriver.start(daemon.socket(0))) {
            offer(again);

            assertFalse(again.awaitUsed(A_WHILE));
        }
    }

    @ParameterizedTest
    @CsvSource({"1024, 1000, 64", "64, 100, 64", "1000000, 200, 25000"})
    void anyPeriodHasAtMostTheQuotaAndASlice(int maxBytes, int period, int slice) throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, "--max-bytes=" + maxBytes, "--period=" + period);

        try (SaturatingGuest guest = SaturatingGuest.start(daemon.socket(0), 4, 4096)) {
            SaturatingGuest.run(Duration.ofMillis(3L * period + 50), guest);

            long largest = guest.largestWindow(Duration.ofMillis(period));
            assertTrue(largest <= maxBytes + slice, largest + " bytes");
            assertTrue(guest.bytes() >= 2.7 * maxBytes, "only " + guest.bytes() + " bytes");
        }
    }

    @Test
    void noWindowHasMoreThanTheQuota() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, "--limit-mode=window", "--max-bytes=1000", "--period=300");

        try (SaturatingGuest guest = SaturatingGuest.start(daemon.socket(0), 4, 64)) {
            SaturatingGuest.run(Duration.ofSeconds(1), guest);

            assertEquals(1000, guest.largestOfConsecutiveWindows(Duration.ofMillis(300)));
            assertEquals(4000, guest.bytes());
        }
    }

    @Test
    void requestsBeyondTheirNumberWait() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, "--limit-mode=window", "--ops=3", "--period=60000");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            for (int i = 0; i < 3; i++) {
                guest.request(4096, PATIENCE);
            }
            offer(guest);

            assertFalse(guest.awaitUsed(A_WHILE));
        }
    }

    @Test
    void burstIsThereOnceHoweverOftenTheGuestConnects() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1, "--max-bytes=64", "--period=60000", "--burst=640");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            for (int i = 0; i < 11; i++) {
                assertEquals(64, guest.request(64, PATIENCE).length);
            }
        }

        try (EntropyDriver again = EntropyDriver.start(daemon.socket(0))) {
            offer(again);

            assertFalse(again.awaitUsed(A_WHILE));
        }
    }
}
