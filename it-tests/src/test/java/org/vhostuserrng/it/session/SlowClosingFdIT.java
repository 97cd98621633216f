package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedDuring;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.SlowClosingSockets;
import org.vhostuserrng.it.fixture.daemon.SharedDaemonExtension;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;

/** Tests file descriptors whose last close(2) blocks for minutes: sockets with SO_LINGER and unsent bytes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SlowClosingFdIT {
    /** Linger time: longer than any test. */
    private static final Duration LINGER = Duration.ofMinutes(10);

    private static final int SOCKETS = 3 * FrontendVhostUserConstants.MAX_FDS;

    private static final int REQUESTS = 200;

    @RegisterExtension
    private final SharedDaemonExtension shared = new SharedDaemonExtension();

    private FrontendSocket connect() throws IOException {
        return FrontendSocket.connect(shared.socket());
    }

    private static byte[] getFeatures() {
        return CraftedFrontendMessage.of(FrontendMessageType.GET_FEATURES.id(), FrontendPayloadEncoder.none())
                .bytes();
    }

    /** Returns a message that must not have file descriptors. */
    private static byte[] rejectedMessage() {
        return CraftedFrontendMessage.of(FrontendMessageType.SET_OWNER.id(), FrontendPayloadEncoder.none())
                .withNeedReply()
                .bytes();
    }

    /** Sends the descriptors of all sockets, {@code perMessage} with each message. */
    private static void send(FrontendSocket socket, SlowClosingSockets slow, int perMessage) throws IOException {
        for (int i = 0; i < SOCKETS; i += perMessage) {
            socket.sendRaw(rejectedMessage(), slow.fds(i, perMessage));
        }
    }

    /**
     * Sends the sockets while the daemon is paused, and then closes them in this process, so that the daemon's close(2)
     * is the last one.
     */
    private FrontendSocket connectWith(SlowClosingSockets slow, int perMessage)
            throws IOException, InterruptedException {
        shared.daemon().pause();
        try {
            FrontendSocket socket = connect();
            send(socket, slow, perMessage);
            slow.closeFds();
            return socket;
        } finally {
            shared.daemon().resume();
        }
    }

    /** Asserts that another guest is served while a thread of the daemon blocks in close(2). */
    private void assertOthersAreServed() throws Exception {
        assertEventually("a close is pending", this::isClosing);
        for (int i = 0; i < REQUESTS; i++) {
            assertServedDuring("a slow close", this::isClosing, shared.neighbour());
        }
    }

    private boolean isClosing() throws IOException {
        return shared.daemon().hasBlockedPeerFileThread();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, FrontendVhostUserConstants.MAX_FDS, 2 * FrontendVhostUserConstants.MAX_FDS, SOCKETS})
    void slowClosesDoNotBlockOtherGuests(int perMessage) throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(SOCKETS, LINGER);
                FrontendSocket socket = connectWith(slow, perMessage)) {
            assertOthersAreServed();
            assertTrue(socket.awaitReadable(HANG_TIMEOUT), "the front-end gets no reply");
        }
        shared.assertServingAndNothingLeaked();
    }

    /** The sockets are sent while the daemon is paused, so that the daemon's close(2) is the last one. */
    @Test
    void slowClosesOfFdsInAnUnreadSocketDoNotBlockOtherGuests() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(SOCKETS, LINGER)) {
            try (FrontendSocket socket = connect()) {
                shared.daemon().pause();
                try (BackendRequestReceiver channel = new BackendRequestReceiver()) {
                    channel.sendUnreadFds(slow.fds(0, SOCKETS));
                    slow.closeFds();
                    byte[] message = CraftedFrontendMessage.of(
                                    FrontendMessageType.SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none())
                            .withNeedReply()
                            .bytes();
                    socket.sendRaw(message, channel.backendFd());
                } finally {
                    shared.daemon().resume();
                }
                assertNotEquals(
                        0,
                        socket.receive(FrontendMessageType.SET_BACKEND_REQ_FD.id(), HANG_TIMEOUT)
                                .u64());
                assertOthersAreServed();
            }
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void nextFrontEndWaitsWhileTooManyClosesArePending() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(SOCKETS, LINGER)) {
            connectWith(slow, SOCKETS).close();
            try (FrontendSocket next = connect()) {
                next.sendRaw(getFeatures());
                boolean early = next.awaitReadable(QUIET_PERIOD);

                slow.resetConnections();

                assertFalse(early, "was served before the closes ended");
                assertNotEquals(
                        0,
                        next.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                                .u64());
            }
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void frontEndItselfWaitsWhileTooManyClosesArePending() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(SOCKETS, LINGER);
                FrontendSocket socket = connectWith(slow, FrontendVhostUserConstants.MAX_FDS)) {
            int messages = SOCKETS / FrontendVhostUserConstants.MAX_FDS;
            int early = nacksUntilQuiet(socket);

            slow.resetConnections();

            assertTrue(early < messages, () -> early + " messages were handled");
            for (int i = early; i < messages; i++) {
                assertNack(socket);
            }
            assertEquals(0, nacksUntilQuiet(socket));
        }
        shared.assertServingAndNothingLeaked();
    }

    private static int nacksUntilQuiet(FrontendSocket socket) throws IOException {
        int nacks = 0;
        while (socket.awaitReadable(QUIET_PERIOD)) {
            assertNack(socket);
            nacks++;
        }
        return nacks;
    }

    private static void assertNack(FrontendSocket socket) throws IOException {
        assertNotEquals(
                0,
                socket.receive(FrontendMessageType.SET_OWNER.id(), HANG_TIMEOUT).u64());
    }

    @Test
    void frontEndThatDisconnectsWhileItWaitsLeaksNothing() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(SOCKETS, LINGER)) {
            connectWith(slow, FrontendVhostUserConstants.MAX_FDS).close();

            assertOthersAreServed();
        }
        shared.assertServingAndNothingLeaked();
    }
}
