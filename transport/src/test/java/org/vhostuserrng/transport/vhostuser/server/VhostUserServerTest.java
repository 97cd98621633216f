package org.vhostuserrng.transport.vhostuser.server;

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
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.sys.PeerFileThreads;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;

/** Tests the server on a real socket. The tests run single iterations of its loop. */
class VhostUserServerTest {
    private static final long OFFERED = FakeVirtioDevice.FEATURES
            | VhostUserConstants.mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES)
            | VhostUserConstants.mask(VhostUserConstants.VHOST_F_LOG_ALL);
    private static final int OTHER_VERSION = 2;
    private static final int MANY = 100;

    @TempDir
    private Path directory;

    private Path path;
    private VhostUserServer server;
    private VhostUserEndpoint endpoint;
    private long now;

    @BeforeEach
    void listen() throws IOException {
        path = directory.resolve("rng.sock");
        server = VhostUserServer.open(VhostUserOptions.DEFAULT, new PeerFileThreads(), () -> now, null);
        endpoint = server.listen(path, new FakeVirtioDevice());
    }

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void offersTheFeaturesOfTheDeviceAndOfTheTransport() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION);

            runUntilIdle();

            assertArrayEquals(
                    new int[] {
                        VhostUserConstants.VHOST_USER_GET_FEATURES,
                        VhostUserConstants.VERSION | VhostUserConstants.REPLY_FLAG,
                        Long.BYTES,
                        (int) OFFERED,
                        (int) (OFFERED >>> Integer.SIZE)
                    },
                    receive(frontEnd, 5));
        }
    }

    @Test
    void waitsForTheRestOfAMessage() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            ByteBuffer header = message(VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION);
            frontEnd.write(header.slice(0, 5));
            runUntilIdle();

            frontEnd.write(header.slice(5, 7));
            runUntilIdle();

            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(frontEnd, 5)[0]);
        }
    }

    @Test
    void closesTheSessionOfAFrontEndWithAnotherVersion() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserConstants.VHOST_USER_GET_FEATURES, OTHER_VERSION);

            runUntilIdle();

            assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void closesTheSessionIfARefusalWouldLookLikeAReply() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserConstants.VHOST_USER_GET_VRING_BASE, 1 | VhostUserConstants.NEED_REPLY_FLAG);

            runUntilIdle();

            assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void servesTheNextFrontEndAfterADisconnect() throws IOException {
        connect().close();
        runUntilIdle();

        try (SocketChannel second = connect()) {
            send(second, VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION);
            runUntilIdle();

            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(second, 5)[0]);
        }
    }

    private void speak(SocketChannel frontEnd) throws IOException {
        send(frontEnd, VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION);
        runUntilIdle();
    }

    private static boolean isClosed(SocketChannel frontEnd) {
        try {
            frontEnd.configureBlocking(false);
            return frontEnd.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException reset) {
            return true;
        }
    }

    @Test
    void refusesASecondFrontEndWhileTheFirstIsServed() throws IOException {
        try (SocketChannel first = connect()) {
            speak(first);
            receive(first, 5);
            try (SocketChannel second = connect()) {
                runUntilIdle();

                assertTrue(isClosed(second));
                speak(first);
                assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(first, 5)[0]);
            }
        }
    }

    @Test
    void neverRefusesAFrontEndAfterTheFirstHasLeft() throws IOException {
        for (int i = 0; i < MANY; i++) {
            SocketChannel first = connect();
            speak(first);
            first.close();
            try (SocketChannel second = connect()) {
                speak(second);

                assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(second, 5)[0]);
            }
            runUntilIdle();
        }
    }

    @Test
    void servesTheLastMessagesOfAFrontEndThatHasLeft() throws IOException {
        SocketChannel first = connect();
        runUntilIdle();
        send(first, VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION);
        first.close();
        try (SocketChannel second = connect()) {
            speak(second);

            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(second, 5)[0]);
        }
    }

    @Test
    void refusesASecondFrontEndWhileTheFirstHasTimeToSpeak() throws IOException {
        try (SocketChannel first = connect()) {
            runUntilIdle();
            now += VhostUserSession.MAX_SILENCE_NANOS - 1;
            try (SocketChannel second = connect()) {
                runUntilIdle();

                assertTrue(isClosed(second));
                assertFalse(isClosed(first));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 11})
    void aFrontEndThatSendsNoMessageGivesWay(int bytes) throws IOException {
        try (SocketChannel silent = connect()) {
            silent.write(ByteBuffer.allocate(bytes));
            runUntilIdle();
            now += VhostUserSession.MAX_SILENCE_NANOS;
            try (SocketChannel second = connect()) {
                speak(second);

                assertTrue(isClosed(silent));
                assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(second, 5)[0]);
            }
        }
    }

    @Test
    void aFrontEndThatHasSentAMessageMayBeSilentForAnyTime() throws IOException {
        try (SocketChannel first = connect()) {
            speak(first);
            receive(first, 5);
            now += 1000 * VhostUserSession.MAX_SILENCE_NANOS;
            try (SocketChannel second = connect()) {
                runUntilIdle();

                assertTrue(isClosed(second));
                assertFalse(isClosed(first));
            }
        }
    }

    @Test
    void aSilentFrontEndStaysConnectedWhileNobodyElseConnects() throws IOException {
        try (SocketChannel silent = connect()) {
            runUntilIdle();
            now += 1000 * VhostUserSession.MAX_SILENCE_NANOS;

            speak(silent);

            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(silent, 5)[0]);
        }
    }

    @Test
    void refusesFrontEndsWhileItDoesNotAccept() throws IOException {
        endpoint.setAccepting(false);
        try (SocketChannel refused = connect()) {
            runUntilIdle();

            assertTrue(isClosed(refused));
        }
    }

    @Test
    void sessionGoesOnWhileNewFrontEndsAreRefused() throws IOException {
        try (SocketChannel first = connect()) {
            speak(first);
            receive(first, 5);

            endpoint.setAccepting(false);

            speak(first);
            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(first, 5)[0]);
        }
    }

    @Test
    void silentFrontEndDoesNotGiveWayWhileNewOnesAreRefused() throws IOException {
        try (SocketChannel silent = connect()) {
            runUntilIdle();
            now += VhostUserSession.MAX_SILENCE_NANOS;
            endpoint.setAccepting(false);
            try (SocketChannel second = connect()) {
                runUntilIdle();

                assertTrue(isClosed(second));
                assertFalse(isClosed(silent));
            }
        }
    }

    @Test
    void servesFrontEndsAgainOnceItAccepts() throws IOException {
        endpoint.setAccepting(false);
        endpoint.setAccepting(true);
        try (SocketChannel frontEnd = connect()) {
            speak(frontEnd);

            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(frontEnd, 5)[0]);
        }
    }

    @Test
    @Timeout(120)
    void acceptsNobodyWhileTheCloserIsFull() throws IOException {
        Queue<Runnable> closing = new ArrayDeque<>();
        server.close();
        server = VhostUserServer.open(VhostUserOptions.DEFAULT, closing::add, System::nanoTime, null);
        server.listen(path, new FakeVirtioDevice());
        for (int i = 0; i < MANY; i++) {
            leaveUnread();
        }
        try (SocketChannel next = connect()) {
            send(next, VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION);
            runUntilIdle();
            next.configureBlocking(false);
            int early = next.read(ByteBuffer.allocate(20));

            while (!closing.isEmpty()) {
                closing.remove().run();
            }
            runUntil(() -> next.read(ByteBuffer.allocate(20)) == 20);

            assertEquals(0, early);
        }
    }

    private static ListenerAccess only(int uid) {
        return new ListenerAccess(ListenerAccess.UNCHANGED, ListenerAccess.UNCHANGED, Set.of(uid), Set.of());
    }

    private int uid() throws IOException {
        return (int) Files.getAttribute(directory, "unix:uid");
    }

    @Test
    @Timeout(120)
    void disconnectsAFrontEndOfAnotherUserAtOnce() throws IOException {
        path = directory.resolve("restricted.sock");
        server.listen(path, only(uid() + 1), new FakeVirtioDevice());
        try (SocketChannel frontEnd = connect()) {
            frontEnd.configureBlocking(false);

            runUntil(() -> frontEnd.read(ByteBuffer.allocate(1)) == -1);
        }
    }

    @Test
    void servesAFrontEndOfAnAllowedUser() throws IOException {
        path = directory.resolve("restricted.sock");
        server.listen(path, only(uid()), new FakeVirtioDevice());
        try (SocketChannel frontEnd = connect()) {
            speak(frontEnd);

            assertEquals(VhostUserConstants.VHOST_USER_GET_FEATURES, receive(frontEnd, 5)[0]);
        }
    }

    @Test
    void removesItsSocketFileWhenClosed() {
        server.close();

        assertFalse(Files.exists(path));
        server = reopen();
    }

    @Test
    void keepsASocketFileThatAnotherProcessHasReplaced() throws IOException {
        Files.delete(path);
        try (ServerSocketChannel other = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));

            server.close();

            assertTrue(Files.exists(path));
        }
        server = reopen();
    }

    @Test
    void refusesAPathThatIsInUse() {
        IOException refused = assertThrows(IOException.class, () -> server.listen(path, new FakeVirtioDevice()));

        assertTrue(refused.getMessage().contains("in use"), refused.getMessage());
    }

    @Test
    void replacesAStaleSocketFile() throws IOException {
        Path stale = directory.resolve("stale.sock");
        try (ServerSocketChannel dead = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stale));
        }

        server.listen(stale, new FakeVirtioDevice());

        SocketChannel.open(UnixDomainSocketAddress.of(stale)).close();
    }

    @Test
    void refusesAndKeepsAFileThatIsNoSocket() throws IOException {
        Path file = Files.writeString(directory.resolve("precious"), "text");

        assertThrows(IOException.class, () -> server.listen(file, new FakeVirtioDevice()));

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

    /** Runs the loop until no handler is dispatched. */
    private void runUntilIdle() throws IOException {
        while (server.doWork() > 0) {
            Thread.onSpinWait();
        }
    }

    /** Makes the server end a session while a message of its front-end is unread. */
    private void leaveUnread() throws IOException {
        try (SocketChannel frontEnd = connect()) {
            send(frontEnd, VhostUserConstants.VHOST_USER_GET_FEATURES, OTHER_VERSION);
            runUntilIdle();
        }
    }

    /** Runs the loop until a condition is true that depends on other threads. */
    private void runUntil(Condition condition) throws IOException {
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
}
