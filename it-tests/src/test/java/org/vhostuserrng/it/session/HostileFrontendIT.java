package org.vhostuserrng.it.session;

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
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;

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
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.daemon.SharedDaemonExtension;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage.StagedFrontend;

/**
 * Tests front-ends that flood the daemon, do not read, or disconnect at any time: the resources of a session must be
 * bounded, and must be released when the session ends.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileFrontendIT {
    private static final int CONNECTS = 3000;
    private static final int SCM_MAX_FD = 253;
    /** More memory than one session needs, but less than thousands of leaked replies, messages or sessions. */
    private static final long MAX_GROWTH_BYTES = 8 << 20;

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
        Arrays.fill(numbers, shared.fds(List.of(MessageFdKind.SEALED_MEMFD))[0]);
        return numbers;
    }

    /** Asserts that the attack leaks no descriptor, mapping, thread or memory. */
    private void assertNothingLeaked(FrontendAttack attack) throws Exception {
        DaemonProcess daemon = shared.daemon();
        List<String> threads = daemon.threadNames();
        long memory = daemon.rssAnonBytes();

        attack.run();

        shared.assertServingAndNothingLeaked();
        assertEventually("no more threads than before", () -> threads.containsAll(daemon.threadNames()));
        // Wait: the JVM's compiler also allocates memory, which it releases later.
        assertEventually("hardly more memory than before", () -> daemon.rssAnonBytes() - memory < MAX_GROWTH_BYTES);
    }

    @FunctionalInterface
    private interface FrontendAttack {
        void run() throws Exception;
    }

    @Test
    void thousandsOfConnectionsLeakNothing() throws Exception {
        assertNothingLeaked(() -> {
            for (int i = 0; i < CONNECTS; i++) {
                connect().close();
            }
        });
    }

    @Test
    void thousandsOfQueuedConnectionsCostNothing() throws Exception {
        assertNothingLeaked(() -> {
            List<FrontendSocket> waiting = new ArrayList<>();
            try (FrontendSession served = FrontendSession.connect(shared.socket(), HANG_TIMEOUT)) {
                served.getFeatures();
                int before = shared.daemon().settledFdTargets().size();
                for (int i = 0; i < CONNECTS; i++) {
                    waiting.add(connect());
                }

                assertServed(shared.neighbour());
                assertEquals(before, shared.daemon().settledFdTargets().size());
            } finally {
                for (FrontendSocket socket : waiting) {
                    socket.close();
                }
            }
        });
    }

    @Test
    void connectionQueuedBehindThousandsOfClosedOnesIsServed() throws Exception {
        for (int i = 0; i < CONNECTS; i++) {
            connect().close();
        }

        try (EntropyDriver last = EntropyDriver.start(shared.socket())) {
            assertEquals(64, last.request(64, HANG_TIMEOUT).length);
        }

        shared.assertServingAndNothingLeaked();
    }

    @Test
    void frontEndThatReadsNoRepliesIsPausedWithoutBufferingReplies() throws Exception {
        assertNothingLeaked(() -> {
            try (FrontendSocket notReading = connect()) {
                int sent = sendUntilPaused(notReading);

                assertServed(shared.neighbour());
                for (int i = 0; i < sent; i++) {
                    assertNotEquals(
                            0,
                            notReading
                                    .receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                                    .u64());
                }
            }
        });
    }

    @Test
    void frontEndThatDisconnectsWithUnreadRepliesLeaksNothing() throws Exception {
        assertNothingLeaked(() -> {
            for (int i = 0; i < 5; i++) {
                try (FrontendSocket notReading = connect()) {
                    sendUntilPaused(notReading);
                }
            }
        });
    }

    /**
     * Sends GET_FEATURES until the socket is full and stays full while another guest is served. Returns the number of
     * messages.
     */
    private int sendUntilPaused(FrontendSocket notReading) throws IOException {
        int sent = 0;
        int failures = 0;
        while (failures < 10) {
            if (notReading.trySend(getFeatures())) {
                sent++;
                failures = 0;
            } else {
                failures++;
                assertServed(shared.neighbour());
            }
        }
        return sent;
    }

    @Test
    void fdsInIncompleteMessagesAreNotLeaked() throws Exception {
        assertNothingLeaked(() -> {
            for (int i = 0; i < 200; i++) {
                try (FrontendSocket socket = connect()) {
                    for (int j = 0; j < 3; j++) {
                        socket.sendRaw(new byte[] {5}, memoryFds(SCM_MAX_FD));
                    }
                } catch (BackendProtocolException closed) {
                    assertEquals(BackendProtocolException.Reason.CLOSED, closed.reason());
                }
            }
        });
    }

    @Test
    void fdsWithEachByteOfAMessageEndTheSession() throws Exception {
        assertNothingLeaked(() -> {
            byte[] table = CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.memTable(1, 1))
                    .bytes();
            try (FrontendSocket socket = connect()) {
                for (int i = 0; i <= FrontendVhostUserConstants.MAX_FDS; i++) {
                    socket.sendRaw(new byte[] {table[i]}, memoryFds(1));
                }

                assertTrue(socket.awaitClosed(HANG_TIMEOUT), "the session was not closed");
            }
        });
    }

    /**
     * If the daemon held a descriptor of the front-end's own end of the connection, it would never notice that the
     * front-end has closed the connection.
     */
    @Test
    void frontEndsOwnSocketAsBackEndChannelIsNotKept() throws Exception {
        try (FrontendSocket socket = connect()) {
            socket.send(FrontendMessageType.SET_BACKEND_REQ_FD.id(), 0, FrontendPayloadEncoder.none(), socket.fd());

            assertTrue(socket.awaitClosed(HANG_TIMEOUT), "the session was not closed");
        }

        shared.assertServingAndNothingLeaked();
    }

    @Test
    void frontEndsOwnSocketInTheQueueOfTheBackEndChannelIsNotKept() throws Exception {
        try (FrontendSocket socket = connect();
                BackendRequestReceiver channel = new BackendRequestReceiver()) {
            channel.sendUnreadFds(socket.fd());
            socket.send(
                    FrontendMessageType.SET_BACKEND_REQ_FD.id(), 0, FrontendPayloadEncoder.none(), channel.backendFd());

            assertTrue(socket.awaitClosed(HANG_TIMEOUT), "the session was not closed");
        }

        shared.assertServingAndNothingLeaked();
    }

    @Test
    void frontEndThatReadsNoReplyLosesItsSession() throws Exception {
        try (FrontendSocket notReading = connect()) {
            assertTrue(notReading.trySend(getFeatures()));

            assertEventually("the log says why", () -> shared.daemon().log().contains("does not read its replies"));
            try (EntropyDriver next = EntropyDriver.start(shared.socket())) {
                assertEquals(64, next.request(64, HANG_TIMEOUT).length);
            }
        }

        shared.assertServingAndNothingLeaked();
    }

    @Test
    void frontEndsOwnSocketInAnIncompleteMessageIsNotKept() throws Exception {
        try (FrontendSocket socket = connect()) {
            socket.sendRaw(new byte[] {5}, socket.fd());
        }

        shared.assertServingAndNothingLeaked();
    }

    private static IntStream lengthsOfAnIncompleteMemoryTable() {
        return IntStream.range(
                1,
                CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.memTable(1, 1))
                        .bytes()
                        .length);
    }

    @ParameterizedTest
    @MethodSource("lengthsOfAnIncompleteMemoryTable")
    void disconnectAfterAnyByteOfAMessageLeaksNothing(int bytes) throws Exception {
        byte[] table = CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.memTable(1, 1))
                .bytes();

        try (FrontendSocket socket = connect()) {
            socket.sendRaw(Arrays.copyOf(table, bytes), memoryFds(1));
        }

        shared.assertServingAndNothingLeaked();
    }

    private static Stream<CraftedFrontendMessage> messagesThatReplaceAnFd() {
        return Stream.of(
                CraftedFrontendMessage.of(SET_VRING_KICK, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_VRING_CALL, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_VRING_ERR, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_LOG_FD, FrontendPayloadEncoder.none(), MessageFdKind.EVENTFD),
                CraftedFrontendMessage.of(SET_LOG_BASE, FrontendPayloadEncoder.u64(4096), MessageFdKind.SEALED_MEMFD)
                        .withPayloadResized(2 * Long.BYTES),
                CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.memTable(1, 1), MessageFdKind.SEALED_MEMFD),
                CraftedFrontendMessage.of(SET_BACKEND_REQ_FD, FrontendPayloadEncoder.none(), MessageFdKind.SOCKET),
                CraftedFrontendMessage.of(GET_INFLIGHT_FD, FrontendInflightBuffer.encodeDescription(0, 0, 1, 64)),
                CraftedFrontendMessage.of(
                        SET_INFLIGHT_FD,
                        FrontendInflightBuffer.encodeDescription(MemRegionPayloads.SIZE, 0, 1, 64),
                        MessageFdKind.SEALED_MEMFD),
                CraftedFrontendMessage.of(
                        SET_DEVICE_STATE_FD,
                        FrontendPayloadEncoder.vringState(
                                FrontendVhostUserConstants.DEVICE_STATE_LOAD,
                                FrontendVhostUserConstants.DEVICE_STATE_STOPPED),
                        MessageFdKind.PIPE));
    }

    @ParameterizedTest
    @MethodSource("messagesThatReplaceAnFd")
    void repeatedMessageReplacesTheEarlierDescriptor(CraftedFrontendMessage message) throws Exception {
        try (StagedFrontend frontend = VhostUserSessionStage.VRING_STOPPED.connectAt(shared.socket())) {
            exchange(frontend, message);
            int before = shared.daemon().settledFdTargets().size();
            int maps = shared.guestMaps();

            for (int i = 0; i < 500; i++) {
                exchange(frontend, message);
            }

            assertServed(shared.neighbour());
            assertEventually(
                    "as many file descriptors as after the first message",
                    () -> shared.daemon().openFdTargets().size() <= before);
            assertEventually(
                    "as much guest memory is mapped as after the first message", () -> shared.guestMaps() <= maps);
        }
        shared.assertServingAndNothingLeaked();
    }

    private void exchange(StagedFrontend frontend, CraftedFrontendMessage message) throws IOException {
        FrontendSocket socket = frontend.session().socket();
        socket.sendRaw(message.withNeedReply().bytes(), shared.fds(message.fds()));
        socket.receiveWithDescriptors(message.request(), HANG_TIMEOUT)
                .descriptors()
                .forEach(ReceivedFileDescriptor::close);
    }
}
