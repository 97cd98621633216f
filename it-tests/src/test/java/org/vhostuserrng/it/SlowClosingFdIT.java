package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;

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
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;
import org.vhostuserrng.frontend.SlowClosingSockets;

/** Descriptors that keep whoever closes them last waiting for minutes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SlowClosingFdIT {
    private static final Duration FOR_EVER = Duration.ofMinutes(10);
    private static final int MANY = 12 * FrontendVhostUserSpec.MAX_FDS;

    @RegisterExtension
    private final SharedDaemonExtension shared = new SharedDaemonExtension();

    private FrontendSocket connect() throws IOException {
        return FrontendSocket.connect(shared.socket());
    }

    private static byte[] getFeatures() {
        return CraftedFrontendMessage.of(FrontendMessageType.GET_FEATURES.id(), FrontendPayloadEncoder.none())
                .bytes();
    }

    /** Takes no descriptor. */
    private static byte[] refused() {
        return CraftedFrontendMessage.of(FrontendMessageType.SET_OWNER.id(), FrontendPayloadEncoder.none())
                .needingReply()
                .bytes();
    }

    /** Sends all of them, so many with each message. */
    private static void send(FrontendSocket socket, SlowClosingSockets slow, int aMessage) throws IOException {
        for (int i = 0; i < MANY; i += aMessage) {
            socket.sendRaw(refused(), slow.fds(i, aMessage));
        }
    }

    /** A front-end that has sent them, and was not served before it let go of them: the daemon is the last to have them. */
    private FrontendSocket connectWith(SlowClosingSockets slow, int aMessage) throws IOException {
        try (FrontendSession before = FrontendSession.connect(shared.socket(), PATIENCE)) {
            before.getFeatures();
            FrontendSocket socket = connect();
            send(socket, slow, aMessage);
            slow.closeFds();
            return socket;
        }
    }

    private void assertOthersAreServed() throws IOException {
        long end = System.nanoTime() + A_WHILE.toNanos();
        while (System.nanoTime() < end) {
            assertServedPromptly(shared.neighbour());
        }
    }

    private boolean isClosing() throws IOException {
        return shared.daemon().threads().stream().anyMatch(name -> name.startsWith("closing"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, FrontendVhostUserSpec.MAX_FDS, 2 * FrontendVhostUserSpec.MAX_FDS, MANY})
    void manyHoldUpNobodyElse(int aMessage) throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(MANY, FOR_EVER);
                FrontendSocket socket = connectWith(slow, aMessage)) {
            assertOthersAreServed();
            assertTrue(isClosing(), "none takes long to close");
            assertTrue(socket.awaitReadable(PATIENCE), "the front-end is told nothing");
        }
        shared.assertUnharmed();
    }

    @Test
    void thoseInASocketThatIsNotReadHoldUpNobodyElse() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(MANY, FOR_EVER)) {
            try (FrontendSocket socket = connect();
                    BackendRequestReceiver channel = new BackendRequestReceiver()) {
                channel.sendUnreadFds(slow.fds(0, MANY));
                slow.closeFds();
                byte[] message = CraftedFrontendMessage.of(
                                FrontendMessageType.SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none())
                        .needingReply()
                        .bytes();
                socket.sendRaw(message, channel.backendFd());
                assertEquals(
                        0,
                        socket.receive(FrontendMessageType.SET_BACKEND_REQ_FD.id(), PATIENCE)
                                .u64());
            }

            assertOthersAreServed();
            assertTrue(isClosing(), "none takes long to close");
        }
        shared.assertUnharmed();
    }

    @Test
    void nextFrontEndWaitsUntilNotTooManyAreLeft() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(MANY, FOR_EVER)) {
            connectWith(slow, MANY).close();
            try (FrontendSocket next = connect()) {
                next.sendRaw(getFeatures());
                boolean early = next.awaitReadable(A_WHILE);

                slow.resetConnections();

                assertFalse(early, "was served before");
                assertNotEquals(
                        0,
                        next.receive(FrontendMessageType.GET_FEATURES.id(), PATIENCE)
                                .u64());
            }
        }
        shared.assertUnharmed();
    }

    @Test
    void frontEndWaitsItselfUntilNotTooManyAreLeft() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(MANY, FOR_EVER);
                FrontendSocket socket = connectWith(slow, FrontendVhostUserSpec.MAX_FDS)) {
            int early = refusals(socket);

            slow.resetConnections();

            assertTrue(early < MANY / FrontendVhostUserSpec.MAX_FDS, () -> early + " messages were received");
            assertEquals(MANY / FrontendVhostUserSpec.MAX_FDS, early + refusals(socket));
        }
        shared.assertUnharmed();
    }

    /** How many messages are refused before there is silence. */
    private static int refusals(FrontendSocket socket) throws IOException {
        int refusals = 0;
        while (socket.awaitReadable(A_WHILE)) {
            assertNotEquals(
                    0,
                    socket.receive(FrontendMessageType.SET_OWNER.id(), PATIENCE).u64());
            refusals++;
        }
        return refusals;
    }

    @Test
    void frontEndThatGoesWhileItWaitsLeavesNothing() throws Exception {
        try (SlowClosingSockets slow = new SlowClosingSockets(MANY, FOR_EVER)) {
            connectWith(slow, FrontendVhostUserSpec.MAX_FDS).close();

            assertOthersAreServed();
        }
        shared.assertUnharmed();
    }
}
