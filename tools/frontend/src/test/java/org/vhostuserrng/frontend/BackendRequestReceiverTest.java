package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BackendRequestReceiverTest {
    private static final Duration HANG_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofMillis(1);
    private static final FrontendIotlbMessage MISS =
            new FrontendIotlbMessage(0x1000, 0, 0, FrontendIotlbMessage.WRITE, FrontendIotlbMessage.MISS);

    private BackendRequestReceiver requests;
    private FdPassingSocket carrier;
    private FdPassingSocket receiver;
    private FrontendSocket backend;
    private ReceivedFileDescriptor handedOver;

    /** Sends the back-end's end of the channel through a socket, as SET_BACKEND_REQ_FD does. */
    @BeforeEach
    void handOver() throws IOException {
        requests = new BackendRequestReceiver();
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        carrier = FdPassingSocket.wrap(pair[0]);
        receiver = FdPassingSocket.wrap(pair[1]);
        carrier.send(new byte[1], requests.backendFd());
        handedOver = receiver.receive(1).descriptors().getFirst();
        backend = FrontendSocket.wrap(UnixSocketChannel.fromFD(handedOver.fd()));
    }

    @AfterEach
    void close() throws IOException {
        requests.close();
        carrier.close();
        receiver.close();
        backend.close();
    }

    @Test
    void iotlbMissIsReceived() throws Exception {
        backend.send(1, 0, MISS.encode());

        assertEquals(Optional.of(MISS), requests.await(HANG_TIMEOUT));
    }

    @Test
    void awaitReturnsEmptyIfTheBackendSendsNothing() throws Exception {
        assertEquals(Optional.empty(), requests.await(SHORT));
    }

    @Test
    void unknownRequestIsRejected() throws Exception {
        backend.send(2, 0, FrontendPayloadEncoder.none());

        assertThrows(BackendProtocolException.class, () -> requests.await(HANG_TIMEOUT));
    }

    @Test
    void requestWithNeedReplyIsRejected() throws Exception {
        backend.send(1, FrontendVhostUserConstants.FLAG_NEED_REPLY, MISS.encode());

        assertThrows(BackendProtocolException.class, () -> requests.await(HANG_TIMEOUT));
    }

    @Test
    void payloadHasTheLayoutOfTheCStruct() {
        byte[] expected = HexFormat.of()
                .parseHex("0010000000000000" + "0020000000000000" + "0030000000000000" + "0302" + "000000000000");

        assertArrayEquals(
                expected, FrontendIotlbMessage.update(0x1000, 0x2000, 0x3000, 3).encode());
    }
}
