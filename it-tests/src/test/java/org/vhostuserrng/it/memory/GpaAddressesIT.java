package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/** Tests VHOST_USER_PROTOCOL_F_GPA_ADDRESSES: SET_VRING_ADDR contains guest-physical addresses. */
class GpaAddressesIT {
    private static final long PROTOCOL_F_GPA_ADDRESSES = 1L << 21;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @Test
    void ringAtGuestPhysicalAddressesIsServed() throws Exception {
        Options options =
                Options.DEFAULT.withProtocolFeatures(Options.DEFAULT.protocolFeatures() | PROTOCOL_F_GPA_ADDRESSES);
        try (EntropyDriver guest = EntropyDriver.initialise(daemons.start().socket(), options)) {
            FrontendSession session = guest.session();
            DriverRingAddresses layout = guest.requestq().addresses();
            session.setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
            session.setMemTable(guest.memory());
            session.setVringNum(0, layout.queueSize());
            session.setVringBase(0, 0);
            byte[] addresses = FrontendPayloadEncoder.vringAddress(
                    0, layout.descriptorArea(), layout.deviceArea(), layout.driverArea());
            session.send(FrontendMessageType.SET_VRING_ADDR.id(), addresses);
            session.setVringKick(0, guest.requestq().kick());
            session.setVringEnable(0, true);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
