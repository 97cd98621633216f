package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** Interrupts when the driver wants them and not otherwise (VIRTIO 1.4, section 2.7.7), with and without EVENT_IDX. */
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

    /** A back-end may signal once without a reason when a ring starts: that must be over before anything is counted. */
    private static void settle(EntropyDriver guest) throws IOException {
        guest.request(64, PATIENCE);
        guest.requestq().call().awaitAndRead(A_WHILE);
        guest.requestq().call().read();
    }

    private static void completeByPolling(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
        eventually("the buffer is used", guest.ring()::popUsed);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void driverThatWantsNoInterruptGetsNone(boolean eventIndex) throws Exception {
        try (EntropyDriver guest = guest(eventIndex)) {
            settle(guest);
            guest.ring().disableInterrupts();

            completeByPolling(guest);

            assertEquals(0, guest.requestq().call().awaitAndRead(A_WHILE));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void driverThatWantsAnInterruptGetsOne(boolean eventIndex) throws Exception {
        try (EntropyDriver guest = guest(eventIndex)) {
            settle(guest);
            guest.ring().enableInterrupts();

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            assertEquals(1, guest.requestq().call().awaitAndRead(PATIENCE));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void driverThatWantsInterruptsAgainGetsThem(boolean eventIndex) throws Exception {
        try (EntropyDriver guest = guest(eventIndex)) {
            settle(guest);
            guest.ring().disableInterrupts();
            completeByPolling(guest);

            guest.ring().enableInterrupts();
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            assertTrue(guest.requestq().call().awaitAndRead(PATIENCE) > 0);
        }
    }
}
