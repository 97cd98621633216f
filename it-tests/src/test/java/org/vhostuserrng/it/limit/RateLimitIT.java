package org.vhostuserrng.it.limit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertRepliesDuring;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedDuring;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.frontend.SaturatingGuest;

/** Tests the rate limit of each guest: {@code --max-bytes}, {@code --period}, {@code --ops}, {@code --burst}. */
class RateLimitIT {
    /** The period is longer than any test, so that a throttled guest stays throttled. */
    private static final String[] ONE_REQUEST_PER_MINUTE = {"--max-bytes=64", "--period=60000"};

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
    }

    private static EntropyDriver throttledGuest(DaemonProcess daemon) throws IOException {
        EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
        guest.request(64, HANG_TIMEOUT);
        offer(guest);
        return guest;
    }

    @Test
    void requestBeyondTheRateLimitWaits() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, ONE_REQUEST_PER_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void throttledRequestIsServedAfterThePeriod() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, "--max-bytes=64", "--period=400");

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void messagesAreAnsweredWhileTheGuestIsThrottled() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, ONE_REQUEST_PER_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertRepliesDuring("throttling", () -> !guest.ring().hasUsed(), guest.session());
        }
    }

    @Test
    void throttledGuestDoesNotBlockOtherGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2, ONE_REQUEST_PER_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon);
                EntropyDriver neighbour = EntropyDriver.start(daemon.socket(1))) {
            assertServedDuring("throttling", () -> !guest.ring().hasUsed(), neighbour);
        }
    }

    @Test
    void throttledRequestIsStillInTheRingWhenItStops() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, ONE_REQUEST_PER_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertEquals(1, guest.session().stop());
        }
    }

    @Test
    void reconnectingDoesNotResetTheRateLimit() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, ONE_REQUEST_PER_MINUTE);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            guest.request(64, HANG_TIMEOUT);
        }

        try (EntropyDriver again = EntropyDriver.start(daemon.socket(0))) {
            offer(again);

            assertFalse(again.awaitUsed(QUIET_PERIOD));
        }
    }

    @ParameterizedTest
    @CsvSource({"1024, 1000, 64", "64, 100, 64", "1000000, 200, 25000"})
    void anyIntervalOfOnePeriodGetsAtMostMaxBytesAndASlice(int maxBytes, int period, int slice) throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, "--max-bytes=" + maxBytes, "--period=" + period);

        try (SaturatingGuest guest = SaturatingGuest.start(daemon.socket(0), 4, 4096)) {
            SaturatingGuest.pollUntil(total -> total >= 3L * maxBytes, guest);

            long most = guest.maxBytesInSlidingWindow(Duration.ofMillis(period));
            assertTrue(most <= maxBytes + slice, () -> most + " bytes in a period");
        }
    }

    @Test
    void noWindowGetsMoreThanMaxBytes() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, "--limit-mode=window", "--max-bytes=1000", "--period=300");

        try (SaturatingGuest guest = SaturatingGuest.start(daemon.socket(0), 4, 64)) {
            SaturatingGuest.pollUntil(total -> total >= 4000, guest);

            long most = guest.maxBytesInTumblingWindow(Duration.ofMillis(300));
            assertTrue(most <= 1000, () -> most + " bytes in a window");
            // The first and the last window, with 1000 bytes each, begin three windows apart.
            assertTrue(guest.longestDuration().toMillis() >= 3 * 300, () -> "only " + guest.longestDuration());
        }
    }

    @Test
    void requestsBeyondTheOperationLimitWait() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, "--limit-mode=window", "--ops=3", "--period=60000");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            for (int i = 0; i < 3; i++) {
                guest.request(4096, HANG_TIMEOUT);
            }
            offer(guest);

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void reconnectingDoesNotRefillTheBurst() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1, "--max-bytes=64", "--period=60000", "--burst=640");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            for (int i = 0; i < 11; i++) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }

        try (EntropyDriver again = EntropyDriver.start(daemon.socket(0))) {
            offer(again);

            assertFalse(again.awaitUsed(QUIET_PERIOD));
        }
    }
}
