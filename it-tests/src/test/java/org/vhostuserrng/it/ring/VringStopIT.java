package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests GET_VRING_BASE and SET_VRING_ENABLE (vhost-user, "Ring states"). */
class VringStopIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void awaitQuietPeriod() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(QUIET_PERIOD.toMillis());
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
            guest.request(64, HANG_TIMEOUT);
            guest.request(64, HANG_TIMEOUT);
            guest.request(64, HANG_TIMEOUT);

            assertEquals(3, guest.session().stop());
        }
    }

    @Test
    void stoppedRingWritesNothingInSpiteOfKicks() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            guest.session().getVringBase(FrontendRequestq.INDEX);
            offerAndKick(guest);
            byte[] ringBefore = ringBytes(guest);
            byte[] buffersBefore = bufferBytes(guest);

            awaitQuietPeriod();

            assertArrayEquals(ringBefore, ringBytes(guest));
            assertArrayEquals(buffersBefore, bufferBytes(guest));
        }
    }

    @Test
    void stoppedRingContinuesFromItsBase() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            int base = guest.session().stop();
            offerAndKick(guest);

            guest.session().startRing(guest.requestq(), guest.memory(), base);

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
            assertTrue(guest.ring().popUsed());
            assertEquals(64, guest.ring().usedLength());
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void disabledRingServesNothingUntilEnabled() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            guest.session().setVringEnable(FrontendRequestq.INDEX, false);
            offerAndKick(guest);
            boolean servedWhileDisabled = guest.awaitUsed(QUIET_PERIOD);

            guest.session().setVringEnable(FrontendRequestq.INDEX, true);

            assertFalse(servedWhileDisabled);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void newMemoryTableIsUsedAfterARestart() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            int base = guest.session().stop();

            guest.session().start(guest.requestq(), guest.memory(), guest.features(), base);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
