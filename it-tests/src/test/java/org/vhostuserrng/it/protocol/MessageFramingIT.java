package org.vhostuserrng.it.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedDuring;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests that the boundaries of messages do not depend on how the front-end divides the bytes into writes. */
class MessageFramingIT {
    private static final int SLOW_FRONTENDS = 32;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @Test
    void messageSentByteByByteIsAnswered() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        byte[] message = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserConstants.FLAG_VERSION,
                FrontendPayloadEncoder.none());

        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            for (byte piece : message) {
                socket.sendRaw(new byte[] {piece});
            }

            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                            .u64());
        }
    }

    @Test
    void twoMessagesInOneWriteAreBothAnswered() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        byte[] message = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserConstants.FLAG_VERSION,
                FrontendPayloadEncoder.none());
        byte[] both = Arrays.copyOf(message, 2 * message.length);
        System.arraycopy(message, 0, both, message.length, message.length);

        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(both);

            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                            .u64());
            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                            .u64());
        }
    }

    @Test
    void partialMessageDoesNotBlockOtherGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);

        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(new byte[] {1, 0, 0, 0, 1});

            assertServedDuring(
                    "the session of the partial message", () -> !socket.awaitReadable(Duration.ZERO), neighbour);
            assertFalse(socket.awaitClosed(QUIET_PERIOD));
        }
    }

    @Test
    void manyPartialMessagesDoNotBlockOtherGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(SLOW_FRONTENDS + 1);
        List<FrontendSocket> slow = new ArrayList<>();
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(SLOW_FRONTENDS)))) {
            for (int i = 0; i < SLOW_FRONTENDS; i++) {
                slow.add(FrontendSocket.connect(daemon.socket(i)));
            }

            for (byte piece : FrontendPayloadEncoder.message(
                    FrontendMessageType.GET_FEATURES.id(),
                    FrontendVhostUserConstants.FLAG_VERSION,
                    FrontendPayloadEncoder.none())) {
                for (FrontendSocket socket : slow) {
                    socket.sendRaw(new byte[] {piece});
                }
                assertServed(neighbour);
            }

            for (FrontendSocket socket : slow) {
                assertNotEquals(
                        0,
                        socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                                .u64());
            }
        } finally {
            for (FrontendSocket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void frontEndThatDisconnectsWithinAMessageFreesTheSocket() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(new byte[] {1, 0, 0, 0, 1});
        }

        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, HANG_TIMEOUT).length);
        }
    }
}
