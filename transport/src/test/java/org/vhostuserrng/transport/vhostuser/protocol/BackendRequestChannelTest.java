package org.vhostuserrng.transport.vhostuser.protocol;

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
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

class BackendRequestChannelTest {
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
            received = UnixStreamSocket.connect(path, null).fd();
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

    private static void sendMiss(BackendRequestChannel channel, long iova) throws IOException {
        channel.sendIotlbMsg(iova, 2, VhostUserConstants.VHOST_IOTLB_MISS);
    }

    @Test
    void refusesASocketWithAMessageInIt() throws IOException {
        frontEnd.write(ByteBuffer.allocate(1));

        assertThrows(IOException.class, () -> BackendRequestChannel.open(received));
    }

    @Test
    void frontEndCannotSendOverTheChannel() throws IOException {
        try (BackendRequestChannel channel = BackendRequestChannel.open(received)) {
            assertThrows(IOException.class, () -> frontEnd.write(ByteBuffer.allocate(1)));

            sendMiss(channel, 0);
            assertEquals(MESSAGE_BYTES, receive().remaining());
        }
    }

    @Test
    void sendsAMessageWithoutNeedReply() throws IOException {
        try (BackendRequestChannel channel = BackendRequestChannel.open(received)) {
            sendMiss(channel, 0x1234_5678_9abcL);

            ByteBuffer message = receive();
            assertEquals(VhostUserConstants.VHOST_USER_BACKEND_IOTLB_MSG, message.getInt());
            assertEquals(VhostUserConstants.VERSION, message.getInt());
            assertEquals(VhostUserConstants.IOTLB_MSG_BYTES, message.getInt());
            assertEquals(0x1234_5678_9abcL, message.getLong());
            assertEquals(0, message.getLong());
            assertEquals(0, message.getLong());
            assertEquals(2, message.get());
            assertEquals(VhostUserConstants.VHOST_IOTLB_MISS, message.get());
        }
    }

    @Test
    @Timeout(120)
    void dropsWholeMessagesWhenTheSocketIsFull() throws IOException {
        try (BackendRequestChannel channel = BackendRequestChannel.open(received)) {
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
    void throwsWhenTheFrontEndHasDisconnected() throws IOException {
        try (BackendRequestChannel channel = BackendRequestChannel.open(received)) {
            frontEnd.close();

            assertThrows(IOException.class, () -> sendMiss(channel, 0));
        }
    }

    @Test
    void refusesADescriptorThatIsNoSocket() throws IOException {
        OwnedFd eventFd = EventFd.create().fd();

        assertThrows(IOException.class, () -> BackendRequestChannel.open(eventFd));

        assertThrows(IllegalStateException.class, eventFd::number);
    }
}
