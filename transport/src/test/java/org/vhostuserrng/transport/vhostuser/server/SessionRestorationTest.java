package org.vhostuserrng.transport.vhostuser.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.FakeServiceManager;
import org.vhostuserrng.transport.sys.FdQueueSocket;
import org.vhostuserrng.transport.sys.FdStoreMemory;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.systemd.FdStoreClient;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;

/** Tests servers that continue the sessions of an earlier one, with the store of a fake service manager. */
@Timeout(120)
class SessionRestorationTest {
    private static final int REPLY_BYTES = 20;
    private static final long JOURNAL = -1;
    private static final long JOURNAL_BYTES = 4096 + 1024 * 64 + 2 * 256 * 1024;
    private static final long JOURNAL_VERSION = 8;

    @TempDir
    private Path directory;

    private final Queue<Runnable> peerFiles = new ArrayDeque<>();
    private final List<VhostUserEndpoint> endpoints = new ArrayList<>();
    private final List<SocketChannel> frontEnds = new ArrayList<>();
    /** The processes that were not stopped, including those that were killed. */
    private final List<VhostUserServer> running = new ArrayList<>();

    private FakeServiceManager manager;
    private FdStoreClient store;
    private VhostUserServer server;
    private long now;

    @BeforeEach
    void startManager() throws IOException {
        manager = new FakeServiceManager("@vhost-user-rng-test-" + directory.getFileName());
        store = FdStoreClient.open(manager.environment());
    }

    @AfterEach
    void close() throws IOException {
        running.forEach(VhostUserServer::close);
        for (SocketChannel frontEnd : frontEnds) {
            frontEnd.close();
        }
        store.close();
        manager.close();
    }

    private Path path(int guest) {
        return directory.resolve("socket" + guest);
    }

    /** Simulates the start of a process that serves a number of guests. */
    private void start(int guests, Executor peerFileThreads) throws IOException {
        server = VhostUserServer.open(VhostUserOptions.DEFAULT, peerFileThreads, () -> now, store);
        running.add(server);
        endpoints.clear();
        for (int i = 0; i < guests; i++) {
            endpoints.add(server.listen(path(i), new FakeVirtioDevice()));
        }
    }

    /** Starts the process after one that has ended, and makes it restore the sessions in the store. */
    private void restart(int guests, Executor peerFileThreads) throws IOException {
        start(guests, peerFileThreads);
        server.restore(storedFds());
        run();
    }

    private List<ListenFds.NamedFd> storedFds() {
        return manager.store().entrySet().stream()
                .map(stored -> new ListenFds.NamedFd(FakeServiceManager.duplicate(stored.getValue()), stored.getKey()))
                .toList();
    }

    /** Makes the process end as SIGTERM does. */
    private void stop() {
        server.close();
        running.remove(server);
    }

    /** Makes the process end at this moment, as if it was killed. */
    private void kill() throws IOException {
        for (int i = 0; i < endpoints.size(); i++) {
            Files.delete(path(i));
        }
    }

    /** Runs the loop until no handler is dispatched. */
    private void run() throws IOException {
        while (server.doWork() > 0) {
            manager.store();
        }
    }

    private SocketChannel connect(int guest) throws IOException {
        SocketChannel frontEnd = SocketChannel.open(UnixDomainSocketAddress.of(path(guest)));
        frontEnds.add(frontEnd);
        return frontEnd;
    }

    private static ByteBuffer getFeatures() {
        ByteBuffer message = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
        return message.putInt(VhostUserConstants.VHOST_USER_GET_FEATURES)
                .putInt(VhostUserConstants.VERSION)
                .putInt(0)
                .flip();
    }

    /** Returns whether a message is answered. */
    private boolean isServed(SocketChannel frontEnd) throws IOException {
        frontEnd.configureBlocking(false);
        frontEnd.write(getFeatures());
        run();
        try {
            return frontEnd.read(ByteBuffer.allocate(REPLY_BYTES)) == REPLY_BYTES;
        } catch (SocketException reset) {
            return false;
        }
    }

    private static boolean isClosed(SocketChannel frontEnd) throws IOException {
        frontEnd.configureBlocking(false);
        return frontEnd.read(ByteBuffer.allocate(1)) < 0;
    }

    /** Starts the first process, and a session of each guest. */
    private void startWithSessions(int guests) throws IOException {
        start(guests, Runnable::run);
        for (int i = 0; i < guests; i++) {
            assertTrue(isServed(connect(i)));
        }
        assertEquals(guests, manager.store().size());
    }

    /** Changes the version in the journal of the only stored session. */
    private void makeJournalUnreadable() throws IOException {
        OwnedFd stored = manager.store().values().iterator().next();
        PeerFileExecutor closer = new PeerFileExecutor(Runnable::run);
        try (FdQueueSocket queue = FdQueueSocket.adopt(FakeServiceManager.duplicate(stored), closer)) {
            Map<Long, OwnedFd> fds = queue.duplicates();
            try (FdStoreMemory journal = FdStoreMemory.map(fds.remove(JOURNAL), JOURNAL_BYTES)) {
                journal.segment().set(ValueLayout.JAVA_BYTE, JOURNAL_VERSION, (byte) 99);
            }
            fds.values().forEach(OwnedFd::close);
        }
    }

    @Test
    void allSessionsAreContinued() throws IOException {
        startWithSessions(3);
        stop();

        restart(3, Runnable::run);

        for (SocketChannel frontEnd : List.copyOf(frontEnds)) {
            assertTrue(isServed(frontEnd));
        }
    }

    @Test
    void onlyOneOfTwoStoredSessionsOfASocketIsContinued() throws IOException {
        startWithSessions(1);
        stop();
        List<ListenFds.NamedFd> stored = new ArrayList<>(storedFds());
        stored.add(new ListenFds.NamedFd(storedFds().getFirst().fd(), "session-2"));
        start(1, Runnable::run);

        server.restore(stored);
        run();

        assertTrue(endpoints.getFirst().hasUnservedSession());
        assertTrue(isServed(frontEnds.getFirst()));
    }

    @Test
    void processesThatAreKilledFailOnlyTheSessionInProgress() throws IOException {
        startWithSessions(2);
        stop();
        for (int kills = 0; kills < 3; kills++) {
            restart(2, peerFiles::add);
            kill();
        }

        restart(2, Runnable::run);

        assertTrue(endpoints.get(0).hasUnservedSession());
        assertFalse(isServed(frontEnds.get(0)));
        assertTrue(isServed(frontEnds.get(1)));
    }

    @Test
    void processesThatAreStoppedFailNoSession() throws IOException {
        startWithSessions(1);
        stop();
        for (int stops = 0; stops < 4; stops++) {
            restart(1, peerFiles::add);
            stop();
        }

        restart(1, Runnable::run);

        assertTrue(isServed(frontEnds.getFirst()));
    }

    @Test
    void sessionWhoseFilesAreSlowDoesNotDelayTheOthers() throws IOException {
        startWithSessions(2);
        stop();
        restart(2, peerFiles::add);
        Runnable slow = peerFiles.remove();
        now += SessionRestoration.SLOW_FILES_NANOS;
        run();

        peerFiles.remove().run();
        run();
        boolean otherServed = isServed(frontEnds.get(1));
        slow.run();
        run();

        assertTrue(otherServed);
        assertTrue(isServed(frontEnds.get(0)));
    }

    @Test
    void processesThatAreKilledWhileFilesAreSlowFailNoSession() throws IOException {
        startWithSessions(1);
        stop();
        for (int kills = 0; kills < 4; kills++) {
            restart(1, peerFiles::add);
            now += SessionRestoration.SLOW_FILES_NANOS;
            run();
            kill();
        }

        restart(1, Runnable::run);

        assertTrue(isServed(frontEnds.getFirst()));
    }

    @Test
    void unreadableSessionIsGivenBackWhenItsFrontEndDisconnects() throws IOException {
        startWithSessions(1);
        stop();
        makeJournalUnreadable();
        restart(1, Runnable::run);
        Set<String> before = Set.copyOf(manager.store().keySet());

        frontEnds.getFirst().close();
        now += UnservedSession.CHECK_NANOS;
        run();

        assertEquals(1, before.size());
        assertEquals(Set.of(), manager.store().keySet());
        assertFalse(endpoints.getFirst().hasUnservedSession());
    }

    @Test
    void unreadableSessionIsGivenBackWhenAnotherFrontEndConnects() throws IOException {
        startWithSessions(1);
        Set<String> unreadable = Set.copyOf(manager.store().keySet());
        stop();
        makeJournalUnreadable();
        restart(1, Runnable::run);

        assertTrue(isServed(connect(0)));

        assertTrue(isClosed(frontEnds.getFirst()));
        assertEquals(1, manager.store().size());
        assertFalse(manager.store().keySet().containsAll(unreadable));
    }

    @Test
    void unreadableSessionIsGivenBackWhenItsGuestIsRemoved() throws IOException {
        startWithSessions(1);
        stop();
        makeJournalUnreadable();
        restart(1, Runnable::run);

        server.remove(endpoints.getFirst());

        assertEquals(Set.of(), manager.store().keySet());
    }

    @Test
    void unreadableSessionOfNoEndpointIsGivenBackWhenItsFrontEndDisconnects() throws IOException {
        startWithSessions(1);
        stop();
        makeJournalUnreadable();
        restart(0, Runnable::run);

        frontEnds.getFirst().close();
        now += UnservedSession.CHECK_NANOS;
        run();

        assertEquals(Set.of(), manager.store().keySet());
    }

    @Test
    void unservedSessionStaysInTheStoreForTheNextProcess() throws IOException {
        startWithSessions(1);
        stop();
        makeJournalUnreadable();
        restart(1, Runnable::run);
        now += UnservedSession.CHECK_NANOS;
        run();

        stop();

        assertEquals(1, manager.store().size());
        assertFalse(isClosed(frontEnds.getFirst()));
    }

    @Test
    void droppedSessionIsDisconnected() throws IOException {
        startWithSessions(1);
        stop();
        makeJournalUnreadable();
        restart(1, Runnable::run);
        boolean before = endpoints.getFirst().hasUnservedSession();

        endpoints.getFirst().dropUnservedSession();

        assertTrue(before);
        assertFalse(endpoints.getFirst().hasUnservedSession());
        assertEquals(Set.of(), manager.store().keySet());
        assertTrue(isClosed(frontEnds.getFirst()));
    }

    @Test
    void sessionWhoseMessageArrivedInPiecesDoesNotGiveWay() throws IOException {
        start(1, Runnable::run);
        SocketChannel first = connect(0);
        ByteBuffer message = getFeatures();
        first.write(message.slice(0, 5));
        run();
        first.write(message.slice(5, 7));
        run();
        assertEquals(REPLY_BYTES, first.read(ByteBuffer.allocate(REPLY_BYTES)));
        stop();
        restart(1, Runnable::run);
        now += VhostUserSession.MAX_SILENCE_NANOS;

        boolean otherServed = isServed(connect(0));

        assertFalse(otherServed);
        assertTrue(isServed(first));
    }

    @Test
    void restoredSessionThatNeverSentAMessageGivesWay() throws IOException {
        start(1, Runnable::run);
        SocketChannel silent = connect(0);
        run();
        stop();
        restart(1, Runnable::run);
        now += VhostUserSession.MAX_SILENCE_NANOS;

        boolean otherServed = isServed(connect(0));

        assertTrue(otherServed);
        assertTrue(isClosed(silent));
    }

    @Test
    void frontEndsAreServedAfterTheServiceManagerHasEnded() throws IOException {
        start(1, Runnable::run);
        manager.close();

        assertTrue(isServed(connect(0)));
    }

    @Test
    void sessionsThatEndAfterTheServiceManagerDoNotDelayNewOnes() throws IOException {
        startWithSessions(2);
        manager.close();
        frontEnds.get(0).close();
        frontEnds.get(1).close();
        run();

        assertTrue(isServed(connect(0)));
    }
}
