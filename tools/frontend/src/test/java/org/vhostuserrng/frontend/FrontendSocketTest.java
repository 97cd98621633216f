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
    private static final Duration LONG = Duration.ofSeconds(5);
    private static final Duration SHORT = Duration.ofMillis(1);

    private UnixSocketChannel backend;
    private FrontendSocket socket;

    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        backend = pair[0];
        socket = FrontendSocket.over(pair[1]);
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        backend.close();
    }

    private void backendSends(int request, int flags, byte[] payload) throws IOException {
        backend.write(ByteBuffer.wrap(Payload.message(request, flags, payload)));
    }

    private byte[] backendReceives(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            backend.read(buffer);
        }
        return buffer.array();
    }

    private BackendException.Reason reasonOf(int request, Duration timeout) {
        return assertThrows(BackendException.class, () -> socket.receive(request, timeout))
                .reason();
    }

    @Test
    void sendAddsTheVersionToTheFlags() throws Exception {
        socket.send(VhostUser.SET_FEATURES, VhostUser.FLAG_NEED_REPLY, Payload.u64(5));

        assertArrayEquals(Payload.message(VhostUser.SET_FEATURES, 0x9, Payload.u64(5)), backendReceives(20));
    }

    @Test
    void fdsTravelWithTheFirstByte() throws Exception {
        ByteBuffer first = ByteBuffer.allocateDirect(1);
        MsgHdr header = POSIXFactory.getPOSIX().allocateMsgHdr();
        header.setIov(new ByteBuffer[] {first});
        header.allocateControl(2 * Integer.BYTES);

        try (EventFd one = new EventFd();
                EventFd other = new EventFd()) {
            socket.send(VhostUser.SET_OWNER, 0, Payload.none(), one.fd(), other.fd());
            POSIXFactory.getPOSIX().recvmsg(backend.getFD(), header, 0);
        }

        ByteBuffer fds = header.getControls()[0].getData().order(ByteOrder.nativeOrder());
        assertEquals(LibC.SCM_RIGHTS, header.getControls()[0].getType());
        assertEquals(2 * Integer.BYTES, fds.remaining());
        LibC.calls().close(fds.getInt());
        LibC.calls().close(fds.getInt());
    }

    @Test
    void receiveReturnsThePayloadOfTheReply() throws Exception {
        backendSends(VhostUser.GET_FEATURES, 0x5, Payload.u64(1L << 32));

        assertEquals(1L << 32, socket.receive(VhostUser.GET_FEATURES, LONG).u64());
    }

    @Test
    void replyToAnotherRequestIsWrong() throws Exception {
        backendSends(VhostUser.GET_QUEUE_NUM, 0x5, Payload.u64(1));

        assertEquals(BackendException.Reason.WRONG_REPLY, reasonOf(VhostUser.GET_FEATURES, LONG));
    }

    @Test
    void replyWithoutTheReplyFlagIsWrong() throws Exception {
        backendSends(VhostUser.GET_FEATURES, 0x1, Payload.u64(1));

        assertEquals(BackendException.Reason.WRONG_REPLY, reasonOf(VhostUser.GET_FEATURES, LONG));
    }

    @Test
    void replyOfAnotherSizeIsWrong() throws Exception {
        backendSends(VhostUser.GET_FEATURES, 0x5, Payload.vringState(0, 0));
        Reply reply = socket.receive(VhostUser.GET_FEATURES, LONG);
        backendSends(VhostUser.GET_FEATURES, 0x5, Payload.none());
        Reply empty = socket.receive(VhostUser.GET_FEATURES, LONG);

        assertEquals(0, reply.vringStateNumber());
        assertThrows(BackendException.class, empty::u64);
    }

    @Test
    void silenceIsReportedWhenTheTimeIsOver() {
        assertEquals(BackendException.Reason.SILENT, reasonOf(VhostUser.GET_FEATURES, SHORT));
    }

    @Test
    void closureIsReportedInsteadOfAReply() throws Exception {
        backend.close();

        assertEquals(BackendException.Reason.CLOSED, reasonOf(VhostUser.GET_FEATURES, LONG));
    }

    @Test
    void closureWithUnreadBytesIsClosureToo() throws Exception {
        socket.send(VhostUser.SET_OWNER, 0, Payload.none());
        backend.close();

        assertTrue(socket.awaitClosed(LONG));
    }

    @Test
    void openConnectionIsNotReportedClosed() throws Exception {
        assertFalse(socket.awaitClosed(SHORT));
    }

    @Test
    void sendingToAClosedPeerIsReported() throws Exception {
        backend.close();

        assertThrows(BackendException.class, () -> socket.send(VhostUser.SET_OWNER, 0, Payload.none()));
    }
}
