package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests the message sequences of a session with back-ends that offer different features. */
class FrontendSessionTest {
    private static final long ALL_PROTOCOL_FEATURES =
            ProtocolFeatureBit.MQ.mask() | ProtocolFeatureBit.REPLY_ACK.mask();

    private static final Duration HANG_TIMEOUT = Duration.ofSeconds(60);

    private final List<Integer> received = new ArrayList<>();
    private UnixSocketChannel backend;
    private FrontendSession session;
    private FrontendRequestq requestq;
    private FrontendGuestMemory memory;

    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        backend = pair[0];
        session = new FrontendSession(FrontendSocket.wrap(pair[1]), HANG_TIMEOUT);
        requestq = new FrontendRequestq(DriverSplitRingAddresses.contiguous(0, 4));
        memory = new FrontendGuestMemory(
                List.of(new FrontendMemoryRegion(0, 0x7000_0000L, 4096, 0, FrontendMemoryRegion.Sealing.SEALED)));
    }

    @AfterEach
    void close() throws IOException {
        session.close();
        backend.close();
        requestq.close();
        memory.close();
    }

    /**
     * Starts a thread that replies to requests until the session is closed.
     *
     * @param replies payloads of the mandatory replies, by message id
     */
    private Thread backendAnswers(Map<Integer, byte[]> replies) {
        return Thread.ofPlatform().start(() -> {
            try {
                while (answerOne(replies)) {
                    Thread.onSpinWait();
                }
            } catch (IOException closed) {
                received.add(-1);
            }
        });
    }

    private boolean answerOne(Map<Integer, byte[]> replies) throws IOException {
        ByteBuffer header = receive(FrontendVhostUserConstants.HEADER_SIZE);
        if (header == null) {
            return false;
        }
        int request = header.getInt();
        int flags = header.getInt();
        receive(header.getInt());
        received.add(request);
        if (replies.containsKey(request)) {
            reply(request, replies.get(request));
        } else if ((flags & FrontendVhostUserConstants.FLAG_NEED_REPLY) != 0) {
            reply(request, FrontendPayloadEncoder.u64(0));
        }
        return true;
    }

    private void reply(int request, byte[] payload) throws IOException {
        backend.write(ByteBuffer.wrap(FrontendPayloadEncoder.message(request, 0x5, payload)));
    }

    private ByteBuffer receive(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.nativeOrder());
        while (buffer.hasRemaining()) {
            if (backend.read(buffer) < 0) {
                return null;
            }
        }
        return buffer.flip();
    }

    private List<Integer> receivedUntilClosed(Thread backendThread) throws Exception {
        session.close();
        backendThread.join();
        return received;
    }

    @Test
    void initialiseSendsTheMessagesOfQemu() throws Exception {
        Thread answering = backendAnswers(Map.of(
                FrontendMessageType.GET_FEATURES.id(),
                        FrontendPayloadEncoder.u64(VirtioFeatureBit.PROTOCOL_FEATURES.mask()),
                FrontendMessageType.GET_PROTOCOL_FEATURES.id(), FrontendPayloadEncoder.u64(ALL_PROTOCOL_FEATURES),
                FrontendMessageType.GET_QUEUE_NUM.id(), FrontendPayloadEncoder.u64(1)));

        session.initialise(requestq, ALL_PROTOCOL_FEATURES);

        assertEquals(List.of(1, 15, 16, 17, 3, 1, 13, 14), receivedUntilClosed(answering));
    }

    @Test
    void initialiseWithoutProtocolFeaturesSkipsThem() throws Exception {
        Thread answering = backendAnswers(Map.of(
                FrontendMessageType.GET_FEATURES.id(), FrontendPayloadEncoder.u64(VirtioFeatureBit.VERSION_1.mask())));

        session.initialise(requestq, ALL_PROTOCOL_FEATURES);

        assertEquals(List.of(1, 3, 1, 13, 14), receivedUntilClosed(answering));
    }

    @Test
    void initialiseWithoutMqSkipsGetQueueNum() throws Exception {
        Thread answering = backendAnswers(Map.of(
                FrontendMessageType.GET_FEATURES.id(),
                        FrontendPayloadEncoder.u64(VirtioFeatureBit.PROTOCOL_FEATURES.mask()),
                FrontendMessageType.GET_PROTOCOL_FEATURES.id(), FrontendPayloadEncoder.u64(0)));

        session.initialise(requestq, ALL_PROTOCOL_FEATURES);

        assertEquals(List.of(1, 15, 16, 3, 1, 13, 14), receivedUntilClosed(answering));
    }

    @Test
    void startSendsTheMessagesOfQemu() throws Exception {
        Thread answering = backendAnswers(Map.of(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendPayloadEncoder.u64(VirtioFeatureBit.PROTOCOL_FEATURES.mask())));
        session.getFeatures();
        session.setProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask());

        session.start(requestq, memory, VirtioFeatureBit.VERSION_1.mask(), 0);

        assertEquals(List.of(1, 16, 13, 2, 5, 8, 10, 9, 12, 18, 13), receivedUntilClosed(answering));
    }

    @Test
    void stopDisablesTheRingAndReturnsItsBase() throws Exception {
        Thread answering = backendAnswers(Map.of(
                FrontendMessageType.GET_FEATURES.id(),
                        FrontendPayloadEncoder.u64(VirtioFeatureBit.PROTOCOL_FEATURES.mask()),
                FrontendMessageType.GET_VRING_BASE.id(), FrontendPayloadEncoder.vringState(0, 65535)));
        session.getFeatures();

        assertEquals(65535, session.stop());

        assertEquals(List.of(1, 18, 11), receivedUntilClosed(answering));
    }

    @Test
    void negativeAcknowledgementIsReported() throws Exception {
        Thread answering =
                backendAnswers(Map.of(FrontendMessageType.SET_MEM_TABLE.id(), FrontendPayloadEncoder.u64(1)));
        session.setProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask());

        BackendProtocolException nack = assertThrows(BackendProtocolException.class, () -> session.setMemTable(memory));

        assertEquals(BackendProtocolException.Reason.NACK, nack.reason());
        assertEquals(List.of(16, 5), receivedUntilClosed(answering));
    }
}
