package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import jnr.posix.MsgHdr;
import jnr.posix.POSIXFactory;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FrontendSocketTest {
    private static final Duration HANG_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofMillis(1);

    private UnixSocketChannel backend;
    private FrontendSocket socket;

    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        backend = pair[0];
        socket = FrontendSocket.wrap(pair[1]);
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        backend.close();
    }

    private void backendSends(int request, int flags, byte[] payload) throws IOException {
        backend.write(ByteBuffer.wrap(FrontendPayloadEncoder.message(request, flags, payload)));
    }

    private byte[] backendReceives(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            backend.read(buffer);
        }
        return buffer.array();
    }

    private BackendProtocolException.Reason reasonOf(int request, Duration timeout) {
        return assertThrows(BackendProtocolException.class, () -> socket.receive(request, timeout))
                .reason();
    }

    @Test
    void sendAddsTheVersionToTheFlags() throws Exception {
        socket.send(
                FrontendMessageType.SET_FEATURES.id(),
                FrontendVhostUserConstants.FLAG_NEED_REPLY,
                FrontendPayloadEncoder.u64(5));

        assertArrayEquals(
                FrontendPayloadEncoder.message(
                        FrontendMessageType.SET_FEATURES.id(), 0x9, FrontendPayloadEncoder.u64(5)),
                backendReceives(20));
    }

    @Test
    void fdsAreSentWithTheFirstByte() throws Exception {
        ByteBuffer first = ByteBuffer.allocateDirect(1);
        MsgHdr header = POSIXFactory.getPOSIX().allocateMsgHdr();
        header.setIov(new ByteBuffer[] {first});
        header.allocateControl(2 * Integer.BYTES);

        try (FrontendEventFd one = new FrontendEventFd();
                FrontendEventFd other = new FrontendEventFd()) {
            socket.send(FrontendMessageType.SET_OWNER.id(), 0, FrontendPayloadEncoder.none(), one.fd(), other.fd());
            POSIXFactory.getPOSIX().recvmsg(backend.getFD(), header, 0);
        }

        ByteBuffer fds = header.getControls()[0].getData().order(ByteOrder.nativeOrder());
        assertEquals(FrontendLibc.SCM_RIGHTS, header.getControls()[0].getType());
        assertEquals(2 * Integer.BYTES, fds.remaining());
        FrontendLibc.calls().close(fds.getInt());
        FrontendLibc.calls().close(fds.getInt());
    }

    @Test
    void receiveReturnsThePayloadOfTheReply() throws Exception {
        backendSends(FrontendMessageType.GET_FEATURES.id(), 0x5, FrontendPayloadEncoder.u64(1L << 32));

        assertEquals(
                1L << 32,
                socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT)
                        .u64());
    }

    @Test
    void replyToAnotherRequestIsInvalid() throws Exception {
        backendSends(FrontendMessageType.GET_QUEUE_NUM.id(), 0x5, FrontendPayloadEncoder.u64(1));

        assertEquals(
                BackendProtocolException.Reason.INVALID_REPLY,
                reasonOf(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT));
    }

    @Test
    void replyWithoutTheReplyFlagIsInvalid() throws Exception {
        backendSends(FrontendMessageType.GET_FEATURES.id(), 0x1, FrontendPayloadEncoder.u64(1));

        assertEquals(
                BackendProtocolException.Reason.INVALID_REPLY,
                reasonOf(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT));
    }

    @Test
    void replyPayloadOfAnotherSizeIsInvalid() throws Exception {
        backendSends(FrontendMessageType.GET_FEATURES.id(), 0x5, FrontendPayloadEncoder.vringState(0, 0));
        BackendReply reply = socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT);
        backendSends(FrontendMessageType.GET_FEATURES.id(), 0x5, FrontendPayloadEncoder.none());
        BackendReply empty = socket.receive(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT);

        assertEquals(0, reply.vringStateNumber());
        assertThrows(BackendProtocolException.class, empty::u64);
    }

    @Test
    void missingReplyIsATimeout() {
        assertEquals(BackendProtocolException.Reason.TIMEOUT, reasonOf(FrontendMessageType.GET_FEATURES.id(), SHORT));
    }

    @Test
    void disconnectInsteadOfAReplyIsReported() throws Exception {
        backend.close();

        assertEquals(
                BackendProtocolException.Reason.CLOSED, reasonOf(FrontendMessageType.GET_FEATURES.id(), HANG_TIMEOUT));
    }

    @Test
    void disconnectWithUnreadBytesIsReportedAsClosed() throws Exception {
        socket.send(FrontendMessageType.SET_OWNER.id(), 0, FrontendPayloadEncoder.none());
        backend.close();

        assertTrue(socket.awaitClosed(HANG_TIMEOUT));
    }

    @Test
    void openConnectionIsNotReportedClosed() throws Exception {
        assertFalse(socket.awaitClosed(SHORT));
    }

    @Test
    void sendingToAClosedPeerIsReported() throws Exception {
        backend.close();

        assertThrows(
                BackendProtocolException.class,
                () -> socket.send(FrontendMessageType.SET_OWNER.id(), 0, FrontendPayloadEncoder.none()));
    }
}
