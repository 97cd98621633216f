package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.GET_INFLIGHT_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_BACKEND_REQ_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_DEVICE_STATE_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_INFLIGHT_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_BASE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_CALL;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ERR;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_KICK;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;
import org.vhostuserrng.it.VhostUserSessionStage.Peer;

/** Front-ends that are slow, many, deaf or gone: what one session can cost is bounded, and all of it is given back. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileFrontendIT {
    private static final int CONNECTS = 3000;
    private static final int MOST_FDS_OF_THE_SYSTEM = 253;
    /** A whole session takes less; a leak of one reply, message or session in thousands takes more. */
    private static final long NO_LEAK = 8 << 20;

    @RegisterExtension
    private final SharedDaemonExtension shared = new SharedDaemonExtension("--mem-slots");

    private FrontendSocket connect() throws IOException {
        return FrontendSocket.connect(shared.socket());
    }

    private static byte[] getFeatures() {
        return CraftedFrontendMessage.of(FrontendMessageType.GET_FEATURES.id(), FrontendPayloadEncoder.none())
                .bytes();
    }

    private int[] memoryFds(int count) {
        int[] numbers = new int[count];
        Arrays.fill(numbers, shared.fds(List.of(MessageFdKind.MEMORY))[0]);
        return numbers;
    }

    /** An attack leaves nothing: no descriptor, no mapping, no thread, no memory. */
    private void assertLeavesNothing(Attack attack) throws Exception {
        DaemonProcess daemon = shared.daemon();
        List<String> threads = daemon.threads();
        long memory = daemon.residentMemory();

        attack.commit();

        shared.assertUnharmed();
        eventually("it has no further thread", () -> threads.containsAll(daemon.threads()));
        long more = daemon.residentMemory() - memory;
        assertTrue(more < NO_LEAK, () -> more + " bytes more than before");
    }

    /** What a front-end does over and over. */
    @FunctionalInterface
    private interface Attack {
        void commit() throws Exception;
    }

    @Test
    void thousandsOfConnectsLeaveNothing() throws Exception {
        assertLeavesNothing(() -> {
            for (int i = 0; i < CONNECTS; i++) {
                connect().close();
            }
        });
    }

    @Test
    void thousandsThatWaitToBeServedCostNothing() throws Exception {
        assertLeavesNothing(() -> {
            List<FrontendSocket> waiting = new ArrayList<>();
            try (FrontendSession served = FrontendSession.connect(shared.socket(), PATIENCE)) {
                served.getFeatures();
                int before = shared.daemon().fds().size();
                for (int i = 0; i < CONNECTS; i++) {
                    waiting.add(connect());
                }

                assertServedPromptly(shared.neighbour());
                assertEquals(before, shared.daemon().fds().size());
            } finally {
                for (FrontendSocket socket : waiting) {
                    socket.close();
                }
            }
        });
    }

    @Test
    void whoeverStillWaitsBehindThousandsThatGaveUpIsServed() throws Exception {
        for (int i = 0; i < CONNECTS; i++) {
            connect().close();
        }

        try (EntropyDriver last = EntropyDriver.start(shared.socket())) {
            assertEquals(64, last.request(64, PATIENCE).length);
        }

        shared.assertUnharmed();
    }

    @Test
    void frontEndThatReadsNoRepliesIsPausedAndCostsNoMemory() throws Exception {
        assertLeavesNothing(() -> {
            try (FrontendSocket deaf = connect()) {
                int asked = askUntilPaused(deaf);

                assertServedPromptly(shared.neighbour());
                for (int i = 0; i < asked; i++) {
                    assertNotEquals(
                            0,
                            deaf.receive(FrontendMessageType.GET_FEATURES.id(), PATIENCE)
                                    .u64());
                }
            }
        });
    }

    @Test
    void frontEndThatGoesWithItsRepliesUnreadLeavesNothing() throws Exception {
        assertLeavesNothing(() -> {
            for (int i = 0; i < 5; i++) {
                try (FrontendSocket deaf = connect()) {
                    askUntilPaused(deaf);
                }
            }
        });
    }

    /** Asks until nothing more is taken, while the neighbour is served: how often that was. */
    private int askUntilPaused(FrontendSocket deaf) throws IOException {
        int asked = 0;
        int refusals = 0;
        while (refusals < 10) {
            if (deaf.trySend(getFeatures())) {
                asked++;
                refusals = 0;
            } else {
                refusals++;
                assertServedPromptly(shared.neighbour());
            }
        }
        return asked;
    }

    @Test
    void fdsWithoutEndInMessagesThatNeverComeLeaveNothing() throws Exception {
        assertLeavesNothing(() -> {
            for (int i = 0; i < 200; i++) {
                try (FrontendSocket socket = connect()) {
                    for (int j = 0; j < 3; j++) {
                        socket.sendRaw(new byte[] {5}, memoryFds(MOST_FDS_OF_THE_SYSTEM));
                    }
                } catch (BackendProtocolException closedMeanwhile) {
                    assertEquals(BackendProtocolException.Reason.CLOSED, closedMeanwhile.reason());
                }
            }
        });
    }

    @Test
    void fdWithEachByteOfAMessageEndsTheSession() throws Exception {
        assertLeavesNothing(() -> {
            byte[] table = CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.table(1, 1))
                    .bytes();
            try (FrontendSocket socket = connect()) {
                for (int i = 0; i <= FrontendVhostUserSpec.MAX_FDS; i++) {
                    socket.sendRaw(new byte[] {table[i]}, memoryFds(1));
                }

                assertTrue(socket.awaitClosed(PATIENCE), "the session was not closed");
            }
        });
    }

    /** Whoever has it keeps the connection from being seen to end: the daemon, if it took it. */
    @Test
    void ownEndOfTheConnectionAsBackEndChannelIsNotKept() throws Exception {
        try (FrontendSocket socket = connect()) {
            socket.send(FrontendMessageType.SET_BACKEND_REQ_FD.id(), 0, FrontendPayloadEncoder.none(), socket.fd());

            assertTrue(socket.awaitClosed(PATIENCE), "the session was not closed");
        }

        shared.assertUnharmed();
    }

    @Test
    void ownEndOfTheConnectionWithAMessageThatNeverEndsIsNotKept() throws Exception {
        try (FrontendSocket socket = connect()) {
            socket.sendRaw(new byte[] {5}, socket.fd());
        }

        shared.assertUnharmed();
    }

    private static IntStream bytesOfAMemoryTable() {
        return IntStream.range(
                1,
                CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.table(1, 1))
                        .bytes()
                        .length);
    }

    @ParameterizedTest
    @MethodSource("bytesOfAMemoryTable")
    void socketThatVanishesAfterSoManyBytesLeavesNothing(int bytes) throws Exception {
        byte[] table = CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.table(1, 1))
                .bytes();

        try (FrontendSocket socket = connect()) {
            socket.sendRaw(Arrays.copyOf(table, bytes), memoryFds(1));
        }

        shared.assertUnharmed();
    }

    private static Stream<CraftedFrontendMessage> messagesThatReplaceAnFd() {
        return Stream.of(
                CraftedFrontendMessage.of(SET_VRING_KICK, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_VRING_CALL, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_VRING_ERR, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_LOG_FD, FrontendPayloadEncoder.none(), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_LOG_BASE, FrontendPayloadEncoder.u64(4096), MessageFdKind.MEMORY)
                        .resized(2 * Long.BYTES),
                CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.table(1, 1), MessageFdKind.MEMORY),
                CraftedFrontendMessage.of(SET_BACKEND_REQ_FD, FrontendPayloadEncoder.none(), MessageFdKind.SOCKET),
                CraftedFrontendMessage.of(GET_INFLIGHT_FD, FrontendInflightBuffer.encodeDescription(0, 0, 1, 64)),
                CraftedFrontendMessage.of(
                        SET_INFLIGHT_FD,
                        FrontendInflightBuffer.encodeDescription(MemRegionPayloads.SIZE, 0, 1, 64),
                        MessageFdKind.MEMORY),
                CraftedFrontendMessage.of(
                        SET_DEVICE_STATE_FD,
                        FrontendPayloadEncoder.vringState(
                                FrontendVhostUserSpec.DEVICE_STATE_LOAD, FrontendVhostUserSpec.DEVICE_STATE_STOPPED),
                        MessageFdKind.PIPE));
    }

    @ParameterizedTest
    @MethodSource("messagesThatReplaceAnFd")
    void messageThatComesAgainAndAgainHoldsWhatOneHolds(CraftedFrontendMessage message) throws Exception {
        try (Peer peer = VhostUserSessionStage.RING_STOPPED.reach(shared.socket())) {
            exchange(peer, message);
            int before = shared.daemon().fds().size();
            int maps = shared.guestMaps();

            for (int i = 0; i < 500; i++) {
                exchange(peer, message);
            }

            assertServedPromptly(shared.neighbour());
            eventually(
                    "as many descriptors as after the first",
                    () -> shared.daemon().fds().size() <= before);
            eventually("as much guest memory is mapped as after the first", () -> shared.guestMaps() <= maps);
        }
        shared.assertUnharmed();
    }

    private void exchange(Peer peer, CraftedFrontendMessage message) throws IOException {
        FrontendSocket socket = peer.session().socket();
        socket.sendRaw(message.needingReply().bytes(), shared.fds(message.fds()));
        socket.receiveWithDescriptors(message.request(), PATIENCE).descriptors().forEach(ReceivedFileDescriptor::close);
    }
}
