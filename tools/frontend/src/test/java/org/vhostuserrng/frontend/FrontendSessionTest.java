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

/** What a session sends, in order, to back-ends that offer this or that. */
class FrontendSessionTest {
    private static final long ALL_PROTOCOL_FEATURES = VhostUser.PROTOCOL_F_MQ | VhostUser.PROTOCOL_F_REPLY_ACK;

    private final List<Integer> received = new ArrayList<>();
    private UnixSocketChannel backend;
    private FrontendSession session;
    private Requestq requestq;
    private GuestMemory memory;

    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        backend = pair[0];
        session = new FrontendSession(FrontendSocket.over(pair[1]), Duration.ofSeconds(5));
        requestq = new Requestq(SplitRingLayout.contiguous(0, 4));
        memory = new GuestMemory(List.of(new MemoryRegion(0, 0x7000_0000L, 4096, 0, MemoryRegion.Sealing.SEALED)));
    }

    @AfterEach
    void close() throws IOException {
        session.close();
        backend.close();
        requestq.close();
        memory.close();
    }

    /** Answers until the session is closed; {@code replies} has the value of every message that is answered by itself. */
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
        ByteBuffer header = receive(VhostUser.HEADER_SIZE);
        if (header == null) {
            return false;
        }
        int request = header.getInt();
        int flags = header.getInt();
        receive(header.getInt());
        received.add(request);
        if (replies.containsKey(request)) {
            reply(request, replies.get(request));
        } else if ((flags & VhostUser.FLAG_NEED_REPLY) != 0) {
            reply(request, Payload.u64(0));
        }
        return true;
    }

    private void reply(int request, byte[] payload) throws IOException {
        backend.write(ByteBuffer.wrap(Payload.message(request, 0x5, payload)));
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
    void initialiseSendsWhatQemuSends() throws Exception {
        Thread answering = backendAnswers(Map.of(
                VhostUser.GET_FEATURES, Payload.u64(VhostUser.VHOST_USER_F_PROTOCOL_FEATURES),
                VhostUser.GET_PROTOCOL_FEATURES, Payload.u64(ALL_PROTOCOL_FEATURES),
                VhostUser.GET_QUEUE_NUM, Payload.u64(1)));

        session.initialise(requestq, ALL_PROTOCOL_FEATURES);

        assertEquals(List.of(1, 15, 16, 17, 3, 1, 13, 14), receivedUntilClosed(answering));
    }

    @Test
    void initialiseWithoutProtocolFeaturesSkipsThem() throws Exception {
        Thread answering = backendAnswers(Map.of(VhostUser.GET_FEATURES, Payload.u64(Virtio.VIRTIO_F_VERSION_1)));

        session.initialise(requestq, ALL_PROTOCOL_FEATURES);

        assertEquals(List.of(1, 3, 1, 13, 14), receivedUntilClosed(answering));
    }

    @Test
    void initialiseWithoutMqDoesNotAskForQueues() throws Exception {
        Thread answering = backendAnswers(Map.of(
                VhostUser.GET_FEATURES, Payload.u64(VhostUser.VHOST_USER_F_PROTOCOL_FEATURES),
                VhostUser.GET_PROTOCOL_FEATURES, Payload.u64(0)));

        session.initialise(requestq, ALL_PROTOCOL_FEATURES);

        assertEquals(List.of(1, 15, 16, 3, 1, 13, 14), receivedUntilClosed(answering));
    }

    @Test
    void startSendsWhatQemuSends() throws Exception {
        Thread answering =
                backendAnswers(Map.of(VhostUser.GET_FEATURES, Payload.u64(VhostUser.VHOST_USER_F_PROTOCOL_FEATURES)));
        session.getFeatures();
        session.setProtocolFeatures(VhostUser.PROTOCOL_F_REPLY_ACK);

        session.start(requestq, memory, Virtio.VIRTIO_F_VERSION_1, 0);

        assertEquals(List.of(1, 16, 13, 2, 5, 8, 10, 9, 12, 18, 13), receivedUntilClosed(answering));
    }

    @Test
    void stopDisablesThenReturnsTheBase() throws Exception {
        Thread answering = backendAnswers(Map.of(
                VhostUser.GET_FEATURES, Payload.u64(VhostUser.VHOST_USER_F_PROTOCOL_FEATURES),
                VhostUser.GET_VRING_BASE, Payload.vringState(0, 65535)));
        session.getFeatures();

        assertEquals(65535, session.stop());

        assertEquals(List.of(1, 18, 11), receivedUntilClosed(answering));
    }

    @Test
    void refusalIsReported() throws Exception {
        Thread answering = backendAnswers(Map.of(VhostUser.SET_MEM_TABLE, Payload.u64(1)));
        session.setProtocolFeatures(VhostUser.PROTOCOL_F_REPLY_ACK);

        BackendException refused = assertThrows(BackendException.class, () -> session.setMemTable(memory));

        assertEquals(BackendException.Reason.REFUSED, refused.reason());
        assertEquals(List.of(16, 5), receivedUntilClosed(answering));
    }
}
