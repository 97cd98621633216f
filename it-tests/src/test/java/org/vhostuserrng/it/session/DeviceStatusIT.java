package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/** Tests VHOST_USER_PROTOCOL_F_STATUS and RESET_DEVICE. */
class DeviceStatusIT {
    private static final int RESET_DEVICE = 34;
    private static final int SET_STATUS = 39;
    private static final int GET_STATUS = 40;
    private static final long PROTOCOL_F_RESET_DEVICE = 1L << 13;
    private static final long PROTOCOL_F_STATUS = 1L << 16;
    private static final long FEATURES_OK = 8;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver guest() throws IOException {
        long wanted = Options.DEFAULT.protocolFeatures() | PROTOCOL_F_STATUS | PROTOCOL_F_RESET_DEVICE;
        return EntropyDriver.start(daemons.start().socket(), Options.DEFAULT.withProtocolFeatures(wanted));
    }

    private static void reset(EntropyDriver guest, int request) throws IOException {
        byte[] payload = request == RESET_DEVICE ? FrontendPayloadEncoder.none() : FrontendPayloadEncoder.u64(0);
        assertEquals(0, guest.session().sendWithNeedReply(request, payload));
    }

    @Test
    void getStatusReturnsWhatSetStatusSent() throws Exception {
        try (EntropyDriver guest = guest()) {
            guest.session().send(SET_STATUS, FrontendPayloadEncoder.u64(FEATURES_OK));

            assertEquals(
                    FEATURES_OK,
                    guest.session()
                            .sendAndReceive(GET_STATUS, FrontendPayloadEncoder.none())
                            .u64());
        }
    }

    @Test
    void requestsAreServedWithoutDriverOk() throws Exception {
        try (EntropyDriver guest = guest()) {
            guest.session().send(SET_STATUS, FrontendPayloadEncoder.u64(FEATURES_OK));

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RESET_DEVICE, SET_STATUS})
    void statusIsZeroAfterAReset(int request) throws Exception {
        try (EntropyDriver guest = guest()) {
            guest.session().send(SET_STATUS, FrontendPayloadEncoder.u64(FEATURES_OK));

            reset(guest, request);

            assertEquals(
                    0,
                    guest.session()
                            .sendAndReceive(GET_STATUS, FrontendPayloadEncoder.none())
                            .u64());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RESET_DEVICE, SET_STATUS})
    void resetDeviceServesNothing(int request) throws Exception {
        try (EntropyDriver guest = guest()) {
            reset(guest, request);

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
            guest.requestq().kick().signal();

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RESET_DEVICE, SET_STATUS})
    void resetDeviceCanBeRestarted(int request) throws Exception {
        try (EntropyDriver guest = guest()) {
            guest.request(64, HANG_TIMEOUT);
            reset(guest, request);
            guest.ring().reset(0);

            guest.session().startRing(guest.requestq(), guest.memory(), 0);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
