package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.Eventually.A_WHILE;
import static org.vhostuserrng.it.Eventually.PATIENCE;
import static org.vhostuserrng.it.Promptness.assertServedPromptly;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendRequests;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.LingeringSockets;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;

/** Descriptors that keep whoever closes them last waiting for minutes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileDescriptorIT {
    private static final Duration FOR_EVER = Duration.ofMinutes(10);
    private static final int MANY = 12 * VhostUser.MAX_FDS;

    @RegisterExtension
    private final SharedDaemon shared = new SharedDaemon();

    private FrontendSocket connect() throws IOException {
        return FrontendSocket.connect(shared.socket());
    }

    private static byte[] getFeatures() {
        return Message.of(VhostUser.GET_FEATURES, Payload.none()).bytes();
    }

    /** Takes no descriptor. */
    private static byte[] refused() {
        return Message.of(VhostUser.SET_OWNER, Payload.none()).needingReply().bytes();
    }

    /** Sends all of them, so many with each message. */
    private static void send(FrontendSocket socket, LingeringSockets slow, int aMessage) throws IOException {
        for (int i = 0; i < MANY; i += aMessage) {
            socket.sendRaw(refused(), slow.fds(i, aMessage));
        }
    }

    /** A front-end that has sent them, and was not served before it let go of them: the daemon is the last to have them. */
    private FrontendSocket connectWith(LingeringSockets slow, int aMessage) throws IOException {
        try (FrontendSession before = FrontendSession.connect(shared.socket(), PATIENCE)) {
            before.getFeatures();
            FrontendSocket socket = connect();
            send(socket, slow, aMessage);
            slow.letGo();
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
    @ValueSource(ints = {1, VhostUser.MAX_FDS, 2 * VhostUser.MAX_FDS, MANY})
    void manyHoldUpNobodyElse(int aMessage) throws Exception {
        try (LingeringSockets slow = new LingeringSockets(MANY, FOR_EVER);
                FrontendSocket socket = connectWith(slow, aMessage)) {
            assertOthersAreServed();
            assertTrue(isClosing(), "none takes long to close");
            assertTrue(socket.awaitReadable(PATIENCE), "the front-end is told nothing");
        }
        shared.assertUnharmed();
    }

    @Test
    void thoseInASocketThatIsNotReadHoldUpNobodyElse() throws Exception {
        try (LingeringSockets slow = new LingeringSockets(MANY, FOR_EVER)) {
            try (FrontendSocket socket = connect();
                    BackendRequests channel = new BackendRequests()) {
                channel.leave(slow.fds(0, MANY));
                slow.letGo();
                byte[] message = Message.of(VhostUser.SET_BACKEND_REQ_FD, Payload.none())
                        .needingReply()
                        .bytes();
                socket.sendRaw(message, channel.fd());
                assertEquals(
                        0,
                        socket.receive(VhostUser.SET_BACKEND_REQ_FD, PATIENCE).u64());
            }

            assertOthersAreServed();
            assertTrue(isClosing(), "none takes long to close");
        }
        shared.assertUnharmed();
    }

    @Test
    void nextFrontEndWaitsUntilNotTooManyAreLeft() throws Exception {
        try (LingeringSockets slow = new LingeringSockets(MANY, FOR_EVER)) {
            connectWith(slow, MANY).close();
            try (FrontendSocket next = connect()) {
                next.sendRaw(getFeatures());
                boolean early = next.awaitReadable(A_WHILE);

                slow.release();

                assertFalse(early, "was served before");
                assertNotEquals(
                        0, next.receive(VhostUser.GET_FEATURES, PATIENCE).u64());
            }
        }
        shared.assertUnharmed();
    }

    @Test
    void frontEndWaitsItselfUntilNotTooManyAreLeft() throws Exception {
        try (LingeringSockets slow = new LingeringSockets(MANY, FOR_EVER);
                FrontendSocket socket = connectWith(slow, VhostUser.MAX_FDS)) {
            int early = refusals(socket);

            slow.release();

            assertTrue(early < MANY / VhostUser.MAX_FDS, () -> early + " messages were received");
            assertEquals(MANY / VhostUser.MAX_FDS, early + refusals(socket));
        }
        shared.assertUnharmed();
    }

    /** How many messages are refused before there is silence. */
    private static int refusals(FrontendSocket socket) throws IOException {
        int refusals = 0;
        while (socket.awaitReadable(A_WHILE)) {
            assertNotEquals(0, socket.receive(VhostUser.SET_OWNER, PATIENCE).u64());
            refusals++;
        }
        return refusals;
    }

    @Test
    void frontEndThatGoesWhileItWaitsLeavesNothing() throws Exception {
        try (LingeringSockets slow = new LingeringSockets(MANY, FOR_EVER)) {
            connectWith(slow, VhostUser.MAX_FDS).close();

            assertOthersAreServed();
        }
        shared.assertUnharmed();
    }
}
