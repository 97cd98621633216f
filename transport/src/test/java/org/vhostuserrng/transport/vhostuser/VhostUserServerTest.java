package org.vhostuserrng.transport.vhostuser;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** The server on a real socket, its loop stepped by hand. */
class VhostUserServerTest {
    private static final long FEATURES = 1L << 32;
    private static final int MANY = 100;

    @TempDir
    private Path directory;

    private Path path;
    private VhostUserServer server;

    @BeforeEach
    void listen() throws IOException {
        path = directory.resolve("rng.sock");
        server = VhostUserServer.open(VhostUserOptions.DEFAULT);
        server.listen(path, new IdleDevice());
    }

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void answersGetFeaturesWithTheDevicesAndTheProtocolsBits() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserSpec.VHOST_USER_GET_FEATURES, 1);

            settle();

            assertArrayEquals(
                    new int[] {VhostUserSpec.VHOST_USER_GET_FEATURES, 5, 8, 1 << 30 | 1 << 26, 1},
                    receive(frontEnd, 5));
        }
    }

    @Test
    void waitsForTheRestOfAMessage() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            ByteBuffer header = message(VhostUserSpec.VHOST_USER_GET_FEATURES, 1);
            frontEnd.write(header.slice(0, 5));
            settle();

            frontEnd.write(header.slice(5, 7));
            settle();

            assertEquals(VhostUserSpec.VHOST_USER_GET_FEATURES, receive(frontEnd, 5)[0]);
        }
    }

    @Test
    void closesTheSessionOfAFrontEndThatSpeaksAnotherVersion() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserSpec.VHOST_USER_GET_FEATURES, 2);

            settle();

            assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void closesTheSessionWhereARefusalWouldReadAsAnAnswer() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserSpec.VHOST_USER_GET_VRING_BASE, 1 | VhostUserSpec.NEED_REPLY_FLAG);

            settle();

            assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void servesTheNextFrontEndWhenTheFirstHasGone() throws IOException {
        connect().close();
        settle();

        try (SocketChannel second = connect()) {
            send(second, VhostUserSpec.VHOST_USER_GET_FEATURES, 1);
            settle();

            assertEquals(VhostUserSpec.VHOST_USER_GET_FEATURES, receive(second, 5)[0]);
        }
    }

    @Test
    void letsASecondFrontEndWaitWhileTheFirstIsServed() throws IOException {
        SocketChannel first = connect();
        try (SocketChannel second = connect()) {
            send(second, VhostUserSpec.VHOST_USER_GET_FEATURES, 1);
            settle();
            second.configureBlocking(false);
            int early = second.read(ByteBuffer.allocate(1));

            first.close();
            settle();

            second.configureBlocking(true);
            assertEquals(0, early);
            assertEquals(VhostUserSpec.VHOST_USER_GET_FEATURES, receive(second, 5)[0]);
        }
    }

    @Test
    @Timeout(60)
    void takesNobodyWhileTooMuchOfOthersWaitsToBeClosed() throws IOException {
        Queue<Runnable> closing = new ArrayDeque<>();
        server.close();
        server = VhostUserServer.open(VhostUserOptions.DEFAULT, closing::add);
        server.listen(path, new IdleDevice());
        for (int i = 0; i < MANY; i++) {
            leaveUnread();
        }
        try (SocketChannel next = connect()) {
            send(next, VhostUserSpec.VHOST_USER_GET_FEATURES, 1);
            settle();
            next.configureBlocking(false);
            int early = next.read(ByteBuffer.allocate(20));

            closing.remove().run();
            settleUntil(() -> next.read(ByteBuffer.allocate(20)) == 20);

            assertEquals(0, early);
        }
    }

    @Test
    void removesItsSocketFileWhenClosed() {
        server.close();

        assertFalse(Files.exists(path));
        server = reopen();
    }

    @Test
    void leavesASocketFileThatAnotherHasPutInItsPlace() throws IOException {
        Files.delete(path);
        try (ServerSocketChannel other = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));

            server.close();

            assertTrue(Files.exists(path));
        }
        server = reopen();
    }

    @Test
    void refusesAPathThatAnotherListensOn() {
        IOException refused = assertThrows(IOException.class, () -> server.listen(path, new IdleDevice()));

        assertTrue(refused.getMessage().contains("in use"), refused.getMessage());
    }

    @Test
    void replacesASocketFileThatNobodyListensOn() throws IOException {
        Path stale = directory.resolve("stale.sock");
        try (ServerSocketChannel dead = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stale));
        }

        server.listen(stale, new IdleDevice());

        SocketChannel.open(UnixDomainSocketAddress.of(stale)).close();
    }

    @Test
    void refusesAndKeepsAFileThatIsNoSocket() throws IOException {
        Path file = Files.writeString(directory.resolve("precious"), "text");

        assertThrows(IOException.class, () -> server.listen(file, new IdleDevice()));

        assertEquals("text", Files.readString(file));
    }

    private static VhostUserServer reopen() {
        try {
            return VhostUserServer.open(VhostUserOptions.DEFAULT);
        } catch (IOException fault) {
            throw new IllegalStateException(fault);
        }
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    /** Gives turns until nobody wants one. */
    private void settle() throws IOException {
        while (server.doWork() > 0) {
            Thread.onSpinWait();
        }
    }

    /** A session that ends before all is received. */
    private void leaveUnread() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserSpec.VHOST_USER_GET_FEATURES, 2);
            settle();
        }
    }

    /** Gives turns until something has come about, which takes time. */
    private void settleUntil(Condition condition) throws IOException {
        while (!condition.holds()) {
            server.doWork();
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void send(SocketChannel frontEnd, int id, int flags) throws IOException {
        frontEnd.write(message(id, flags));
    }

    private static ByteBuffer message(int id, int flags) {
        ByteBuffer message = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
        return message.putInt(id).putInt(flags).putInt(0).flip();
    }

    private static int[] receive(SocketChannel frontEnd, int ints) throws IOException {
        ByteBuffer reply = ByteBuffer.allocate(4 * ints).order(ByteOrder.nativeOrder());
        while (reply.hasRemaining() && frontEnd.read(reply) >= 0) {
            Thread.onSpinWait();
        }
        int[] words = new int[ints];
        reply.flip().asIntBuffer().get(words);
        return words;
    }

    private static final class IdleDevice implements VirtioDevice {
        @Override
        public String name() {
            return "test";
        }

        @Override
        public String statistics() {
            return "nothing";
        }

        @Override
        public long features() {
            return FEATURES;
        }

        @Override
        public int queueCount() {
            return 1;
        }

        @Override
        public VirtqueueHandler start(VirtqueueConfig setup) {
            throw new IllegalStateException("no queue is started here");
        }

        @Override
        public long inflightBytes(long features, int queueSize) {
            return queueSize;
        }

        @Override
        public byte[] saveState(long now) {
            throw new IllegalStateException("no state is saved here");
        }

        @Override
        public void loadState(long now, byte[] state) {
            throw new IllegalStateException("no state is loaded here");
        }
    }
}
