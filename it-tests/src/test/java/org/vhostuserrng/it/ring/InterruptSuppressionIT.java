package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests used buffer notification suppression (VIRTIO 1.3 §2.7.7), with and without VIRTIO_F_EVENT_IDX. */
class InterruptSuppressionIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver guest(boolean eventIndex) throws IOException {
        long features = VirtioFeatureBit.VERSION_1.mask() | (eventIndex ? VirtioFeatureBit.EVENT_IDX.mask() : 0);
        DaemonProcess daemon = daemons.start();
        EntropyDriver guest = EntropyDriver.start(daemon.socket(), Options.DEFAULT.withFeatures(features));
        assertEquals(features, guest.features());
        return guest;
    }

    /**
     * Resets the call eventfd: when a ring starts, a back-end may signal it without a used buffer. When the reply to
     * GET_FEATURES has arrived, the event loop has also signalled the completion of the request.
     */
    private static void drainStartupInterrupt(EntropyDriver guest) throws IOException {
        guest.request(64, HANG_TIMEOUT);
        guest.session().getFeatures();
        guest.requestq().call().read();
    }

    private static void completeByPolling(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
        assertEventually("the buffer is used", guest.ring()::popUsed);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void driverGetsNoInterruptWhileSuppressed(boolean eventIndex) throws Exception {
        try (EntropyDriver guest = guest(eventIndex)) {
            drainStartupInterrupt(guest);
            guest.ring().disableInterrupts();

            completeByPolling(guest);

            assertEquals(0, guest.requestq().call().awaitAndRead(QUIET_PERIOD));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void driverGetsOneInterruptPerUsedBuffer(boolean eventIndex) throws Exception {
        try (EntropyDriver guest = guest(eventIndex)) {
            drainStartupInterrupt(guest);
            guest.ring().enableInterrupts();

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            assertEquals(1, guest.requestq().call().awaitAndRead(HANG_TIMEOUT));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void driverGetsInterruptsAgainAfterSuppression(boolean eventIndex) throws Exception {
        try (EntropyDriver guest = guest(eventIndex)) {
            drainStartupInterrupt(guest);
            guest.ring().disableInterrupts();
            completeByPolling(guest);

            guest.ring().enableInterrupts();
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            assertTrue(guest.requestq().call().awaitAndRead(HANG_TIMEOUT) > 0);
        }
    }
}
