package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendRequestq;

/** GET_VRING_BASE and SET_VRING_ENABLE (vhost-user, "Ring states"). */
class VringStopIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void waitAWhile() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(A_WHILE.toMillis());
    }

    private static byte[] ringBytes(EntropyDriver guest) {
        FrontendMemoryRegion region = guest.memory().regions().getFirst();
        return guest.bytes(region.guestAddress(), region.size());
    }

    private static byte[] bufferBytes(EntropyDriver guest) {
        return guest.bytes(BUFFER_ADDRESS, guest.bufferRegion().size());
    }

    private static void offerAndKick(EntropyDriver guest) throws IOException {
        guest.ring().makeAvailable(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
        guest.requestq().kick().signal();
    }

    @Test
    void stopReturnsTheIndexOfTheNextRequest() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            guest.request(64, PATIENCE);
            guest.request(64, PATIENCE);

            assertEquals(3, guest.session().stop());
        }
    }

    @Test
    void stoppedRingWritesNothingThoughRequestsAndKicksFollow() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            guest.session().getVringBase(FrontendRequestq.INDEX);
            offerAndKick(guest);
            byte[] ringBefore = ringBytes(guest);
            byte[] buffersBefore = bufferBytes(guest);

            waitAWhile();

            assertArrayEquals(ringBefore, ringBytes(guest));
            assertArrayEquals(buffersBefore, bufferBytes(guest));
        }
    }

    @Test
    void stoppedRingGoesOnFromItsBase() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            int base = guest.session().stop();
            offerAndKick(guest);

            guest.session().startRing(guest.requestq(), guest.memory(), base);

            assertTrue(guest.awaitUsed(PATIENCE));
            assertTrue(guest.ring().popUsed());
            assertEquals(64, guest.ring().usedLength());
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void disabledRingServesNothingUntilItIsEnabled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            guest.session().setVringEnable(FrontendRequestq.INDEX, false);
            offerAndKick(guest);
            boolean servedWhileDisabled = guest.awaitUsed(A_WHILE);

            guest.session().setVringEnable(FrontendRequestq.INDEX, true);

            assertFalse(servedWhileDisabled);
            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    @Test
    void newMemoryTableIsUsedAfterARestart() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            int base = guest.session().stop();

            guest.session().start(guest.requestq(), guest.memory(), guest.features(), base);

            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }
}
