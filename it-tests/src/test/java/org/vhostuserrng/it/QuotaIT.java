package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.Eventually.A_WHILE;
import static org.vhostuserrng.it.Eventually.PATIENCE;
import static org.vhostuserrng.it.Promptness.assertAnsweredPromptly;
import static org.vhostuserrng.it.Promptness.assertServedPromptly;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.SplitDriverRing;

/** {@code --max-bytes} and {@code --period}: at most so many bytes for each guest in any such time. */
class QuotaIT {
    private static final String[] ONE_REQUEST_A_MINUTE = {"--max-bytes=64", "--period=60000"};

    @RegisterExtension
    private final Daemons daemons = new Daemons();

    /** Bytes that were written after {@code notBefore} and not after {@code notAfter}, nanoseconds. */
    private record Grant(long notBefore, long notAfter, int bytes) {}

    private static void offer(EntropyDriver guest) throws IOException {
        guest.offer(guest.ring().addWritable(BUFFER_ADDRESS, 64));
    }

    private static EntropyDriver throttledGuest(Daemon daemon) throws IOException {
        EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
        guest.request(64, PATIENCE);
        offer(guest);
        return guest;
    }

    @Test
    void requestBeyondTheQuotaWaits() throws Exception {
        Daemon daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertFalse(guest.awaitUsed(A_WHILE));
        }
    }

    @Test
    void waitingRequestIsServedWhenItsPeriodIsOver() throws Exception {
        Daemon daemon = daemons.startForGuests(1, "--max-bytes=64", "--period=400");

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    @Test
    void messagesAreAnsweredPromptlyWhileTheGuestIsThrottled() throws Exception {
        Daemon daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertAnsweredPromptly(guest.session());
        }
    }

    @Test
    void throttledGuestHoldsUpNobodyElse() throws Exception {
        Daemon daemon = daemons.startForGuests(2, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon);
                EntropyDriver neighbour = EntropyDriver.start(daemon.socket(1))) {
            assertServedPromptly(neighbour);
            assertFalse(guest.ring().usedPending());
        }
    }

    @Test
    void waitingRequestIsStillInTheRingWhenItStops() throws Exception {
        Daemon daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);

        try (EntropyDriver guest = throttledGuest(daemon)) {
            assertEquals(1, guest.session().stop());
        }
    }

    @Test
    void reconnectDoesNotRefillTheQuota() throws Exception {
        Daemon daemon = daemons.startForGuests(1, ONE_REQUEST_A_MINUTE);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            guest.request(64, PATIENCE);
        }

        try (EntropyDriver again = EntropyDriver.start(daemon.socket(0))) {
            offer(again);

            assertFalse(again.awaitUsed(A_WHILE));
        }
    }

    @Test
    void noWindowOfAPeriodHasMoreThanTheQuota() throws Exception {
        Daemon daemon = daemons.startForGuests(1, "--max-bytes=1024", "--period=1000");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            List<Grant> grants = grantsDuring(guest, Duration.ofMillis(3500));

            assertTrue(grants.size() > 1024 / 64, "too few to tell: " + grants);
            assertNoWindowExceeds(grants, Duration.ofSeconds(1).toNanos(), 1024);
        }
    }

    /** Requests without pause, and between which two looks at the ring each was written. */
    private static List<Grant> grantsDuring(EntropyDriver guest, Duration time) throws IOException {
        List<Grant> grants = new ArrayList<>();
        SplitDriverRing ring = guest.ring();
        long end = System.nanoTime() + time.toNanos();
        offer(guest);
        long lastLook = System.nanoTime();
        while (System.nanoTime() - end < 0) {
            long look = System.nanoTime();
            if (ring.takeUsed()) {
                grants.add(new Grant(lastLook, System.nanoTime(), ring.usedLength()));
                offer(guest);
            }
            lastLook = look;
        }
        return grants;
    }

    /** Counts a window only if its first byte at its earliest and its last at its latest still lie inside: no guess. */
    private static void assertNoWindowExceeds(List<Grant> grants, long window, int quota) {
        for (int first = 0; first < grants.size(); first++) {
            int bytes = 0;
            for (int last = first; last < grants.size(); last++) {
                bytes += grants.get(last).bytes();
                long longest = grants.get(last).notAfter() - grants.get(first).notBefore();
                if (bytes > quota && longest < window) {
                    throw new AssertionError(bytes + " bytes in at most " + longest / 1000 + " µs");
                }
            }
        }
    }
}
