package org.vhostuserrng.transport.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStream;

class BackendChannelTest {
    private static final int MESSAGE_BYTES = 44;

    @TempDir
    private Path directory;

    private SocketChannel frontEnd;
    private OwnedFd received;

    @BeforeEach
    void connect() throws IOException {
        Path path = directory.resolve("channel");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            received = UnixStream.connect(path, null).fd();
            frontEnd = listener.accept();
        }
    }

    @AfterEach
    void close() throws IOException {
        frontEnd.close();
        received.close();
    }

    private ByteBuffer receive() throws IOException {
        ByteBuffer message = ByteBuffer.allocate(MESSAGE_BYTES).order(ByteOrder.nativeOrder());
        while (message.hasRemaining()) {
            assertTrue(frontEnd.read(message) > 0);
        }
        return message.flip();
    }

    private static void sendMiss(BackendChannel channel, long iova) throws IOException {
        channel.sendIotlbMsg(iova, 2, VhostUser.VHOST_IOTLB_MISS);
    }

    @Test
    void sendsAMessageThatAsksForNoReply() throws IOException {
        try (BackendChannel channel = BackendChannel.over(received)) {
            sendMiss(channel, 0x1234_5678_9abcL);

            ByteBuffer message = receive();
            assertEquals(VhostUser.VHOST_USER_BACKEND_IOTLB_MSG, message.getInt());
            assertEquals(VhostUser.VERSION, message.getInt());
            assertEquals(VhostUser.IOTLB_MSG_BYTES, message.getInt());
            assertEquals(0x1234_5678_9abcL, message.getLong());
            assertEquals(0, message.getLong());
            assertEquals(0, message.getLong());
            assertEquals(2, message.get());
            assertEquals(VhostUser.VHOST_IOTLB_MISS, message.get());
        }
    }

    @Test
    @Timeout(30)
    void dropsWhatDoesNotFitAndNeverSendsAPartOfAMessage() throws IOException {
        try (BackendChannel channel = BackendChannel.over(received)) {
            for (long i = 0; i < 100_000; i++) {
                sendMiss(channel, i);
            }
            long next = 0;
            ByteBuffer first = receive();
            while (first.getLong(12) == next) {
                next++;
                if (next % 16 == 0) {
                    sendMiss(channel, -1);
                }
                first = receive();
            }

            assertEquals(-1, first.getLong(12));
        }
    }

    @Test
    void saysThatTheFrontEndHasGone() throws IOException {
        try (BackendChannel channel = BackendChannel.over(received)) {
            frontEnd.close();

            assertThrows(IOException.class, () -> sendMiss(channel, 0));
        }
    }

    @Test
    void refusesWhatIsNoSocket() throws IOException {
        OwnedFd eventFd = EventFd.create().fd();

        assertThrows(IOException.class, () -> BackendChannel.over(eventFd));

        assertThrows(IllegalStateException.class, eventFd::number);
    }
}
