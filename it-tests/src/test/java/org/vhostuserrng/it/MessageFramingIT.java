package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;
import static org.vhostuserrng.it.ResponsivenessAssertions.warmed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;

/** Where messages begin and end on a socket is not where packets do. */
class MessageFramingIT {
    private static final int SLOW = 32;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @Test
    void messageInPiecesIsAnswered() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        byte[] message = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserSpec.FLAG_VERSION,
                FrontendPayloadEncoder.none());

        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            for (byte piece : message) {
                socket.sendRaw(new byte[] {piece});
            }

            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.GET_FEATURES.id(), PATIENCE)
                            .u64());
        }
    }

    @Test
    void twoMessagesAtOnceAreBothAnswered() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        byte[] message = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserSpec.FLAG_VERSION,
                FrontendPayloadEncoder.none());
        byte[] both = Arrays.copyOf(message, 2 * message.length);
        System.arraycopy(message, 0, both, message.length, message.length);

        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(both);

            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.GET_FEATURES.id(), PATIENCE)
                            .u64());
            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.GET_FEATURES.id(), PATIENCE)
                            .u64());
        }
    }

    @Test
    void frontEndThatStopsInTheMiddleOfAMessageHoldsUpNobodyElse() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);

        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(new byte[] {1, 0, 0, 0, 1});

            assertServedPromptly(neighbour);
            assertFalse(socket.awaitClosed(A_WHILE));
        }
    }

    @Test
    void manyFrontEndsThatSendAByteNowAndThenHoldUpNobodyElse() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(SLOW + 1);
        List<FrontendSocket> slow = new ArrayList<>();
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(SLOW)))) {
            for (int i = 0; i < SLOW; i++) {
                slow.add(FrontendSocket.connect(daemon.socket(i)));
            }

            for (byte piece : FrontendPayloadEncoder.message(
                    FrontendMessageType.GET_FEATURES.id(),
                    FrontendVhostUserSpec.FLAG_VERSION,
                    FrontendPayloadEncoder.none())) {
                for (FrontendSocket socket : slow) {
                    socket.sendRaw(new byte[] {piece});
                }
                assertServedPromptly(neighbour);
                TimeUnit.MILLISECONDS.sleep(50);
            }

            for (FrontendSocket socket : slow) {
                assertNotEquals(
                        0,
                        socket.receive(FrontendMessageType.GET_FEATURES.id(), PATIENCE)
                                .u64());
            }
        } finally {
            for (FrontendSocket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void frontEndThatGoesInTheMiddleOfAMessageFreesTheSocket() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(new byte[] {1, 0, 0, 0, 1});
        }

        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }
}
