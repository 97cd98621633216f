package org.vhostuserrng.it.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_FEATURES;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests SET_FEATURES with a feature that the daemon did not offer: the log line names the feature and the option that
 * offers it, and the session does not end.
 */
class UnofferedFeaturesIT {
    private static final long WANTED = VirtioFeatureBit.VERSION_1.mask() | VirtioFeatureBit.PROTOCOL_FEATURES.mask();

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "34 | 400000000 were not offered: VIRTIO_F_RING_PACKED (offered with --packed; QEMU: packed=on)",
                "33 | VIRTIO_F_ACCESS_PLATFORM (offered with --access-platform; QEMU: iommu_platform=on)",
                "35 | VIRTIO_F_IN_ORDER (offered with --in-order; QEMU: in_order=on)",
                "40 | VIRTIO_F_RING_RESET (QEMU: queue_reset=on)",
                "63 | unknown feature 63",
                "0 | device-specific feature 0"
            })
    void refusalNamesTheFeatureAndTheOption(int bit, String line) throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            long acknowledgement = guest.session()
                    .sendWithNeedReply(SET_FEATURES.id(), FrontendPayloadEncoder.u64(WANTED | 1L << bit));

            assertNotEquals(0, acknowledgement);
            assertNotEquals(0, guest.session().getFeatures());
            assertEventually("the log contains: " + line, () -> daemon.log().contains(line));
        }
    }

    /** QEMU 7.2 sends such a message with packed=on. */
    @Test
    void sessionGoesOnWithoutAStartedVringIfNoAcknowledgementWasRequested() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.session().setFeatures(WANTED | VirtioFeatureBit.RING_PACKED.mask());

            BackendProtocolException refused = assertThrows(
                    BackendProtocolException.class, () -> guest.session().setMemTable(guest.memory()));

            assertEquals(BackendProtocolException.Reason.NACK, refused.reason());
            assertNotEquals(0, guest.session().getFeatures());
        }
    }

    @Test
    void deviceStartsWithOfferedFeaturesAfterARefusal() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.session().setFeatures(WANTED | VirtioFeatureBit.RING_PACKED.mask());

            guest.session()
                    .start(
                            guest.requestq(),
                            guest.memory(),
                            guest.features(),
                            guest.driverRing().vringBase());

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
