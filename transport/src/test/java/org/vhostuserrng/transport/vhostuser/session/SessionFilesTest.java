package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.FakeEventScheduler;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;

/** Tests a session while another thread prepares the files of its front-end. */
class SessionFilesTest {
    private static final int NEED_REPLY = VhostUserConstants.VERSION | VhostUserConstants.NEED_REPLY_FLAG;
    private static final int REPLY_BYTES = VhostUserConstants.HEADER_BYTES + Long.BYTES;
    private static final int MAX_REQUESTS_PER_DISPATCH = 16;
    private static final String MEMORY_NAME = "session-files";
    /** Time that a log line takes: longer than the interval at which a full executor is tested again. */
    private static final long LOG_NANOS = 2 * PeerFileExecutor.RETRY_NANOS;

    private final Arena arena = Arena.ofConfined();
    private final FakeEventScheduler loop = new FakeEventScheduler();
    private final Queue<Runnable> executorThread = new ArrayDeque<>();
    private final PeerFileExecutor peerFiles = new PeerFileExecutor(executorThread::add);

    @TempDir
    private Path directory;

    private UnixStreamSocket frontEnd;
    private VhostUserSession session;

    @BeforeEach
    void connect() throws IOException {
        Path path = directory.resolve("session");
        try (UnixListeningSocket listener = UnixListeningSocket.bind(path)) {
            frontEnd = UnixStreamSocket.connect(path, null);
            RateLimitedGuestLog log = new RateLimitedGuestLog("guest", this::timeOfLogLine);
            session = VhostUserSession.open(
                    new GuestContext(loop, new FakeVirtioDevice(), VhostUserOptions.DEFAULT, log, peerFiles, "", null),
                    listener.accept(peerFiles),
                    () -> {});
        }
    }

    @AfterEach
    void close() {
        session.close();
        runExecutor();
        frontEnd.close();
        arena.close();
    }

    /** Simulates that writing a log line takes time. */
    private long timeOfLogLine() {
        loop.now += LOG_NANOS;
        return loop.now;
    }

    private void fillExecutor() {
        while (!peerFiles.isFull()) {
            peerFiles.execute(() -> {});
        }
    }

    private void runExecutor() {
        while (!executorThread.isEmpty()) {
            executorThread.remove().run();
        }
    }

    private MemorySegment message(int id, int flags, long... payload) {
        MemorySegment message = arena.allocate(VhostUserConstants.HEADER_BYTES + 8L * payload.length, 4);
        message.setAtIndex(ValueLayout.JAVA_INT, 0, id);
        message.setAtIndex(ValueLayout.JAVA_INT, 1, flags);
        message.setAtIndex(ValueLayout.JAVA_INT, 2, 8 * payload.length);
        for (int i = 0; i < payload.length; i++) {
            message.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserConstants.HEADER_BYTES + 8L * i, payload[i]);
        }
        return message;
    }

    private void sendMemoryTable() throws ErrnoException {
        try (OwnedFd memory = SealedMemfd.create(MEMORY_NAME, SteppedSession.MEMORY_BYTES)) {
            MemorySegment table = message(
                    VhostUserConstants.VHOST_USER_SET_MEM_TABLE,
                    NEED_REPLY,
                    1,
                    SteppedSession.GUEST_ADDRESS,
                    SteppedSession.MEMORY_BYTES,
                    SteppedSession.USER_ADDRESS,
                    0);
            assertEquals(table.byteSize(), frontEnd.send(table, memory));
        }
    }

    private void sendGetFeatures() {
        frontEnd.send(message(VhostUserConstants.VHOST_USER_GET_FEATURES, VhostUserConstants.VERSION));
    }

    /** Returns the request numbers of the replies that have arrived. */
    private List<Integer> replies() {
        List<Integer> ids = new ArrayList<>();
        MemorySegment reply = arena.allocate(REPLY_BYTES, 4);
        while (frontEnd.receive(reply, new ArrayList<>()) == REPLY_BYTES) {
            ids.add(reply.get(ValueLayout.JAVA_INT, 0));
        }
        return ids;
    }

    private static boolean isMemoryMapped() throws IOException {
        return Files.readString(Path.of("/proc/self/maps")).contains(MEMORY_NAME);
    }

    @Test
    void servesNothingWhileFilesAreBeingPrepared() throws IOException {
        sendMemoryTable();
        sendGetFeatures();

        loop.fire(session);
        loop.fire(session);

        assertEquals(List.of(), replies());
        assertFalse(loop.watched.containsKey(session));
    }

    @Test
    void servesMessagesInOrderOnceTheFilesArePrepared() throws IOException {
        sendMemoryTable();
        sendGetFeatures();
        loop.fire(session);

        runExecutor();
        loop.fire(session);

        assertEquals(
                List.of(VhostUserConstants.VHOST_USER_SET_MEM_TABLE, VhostUserConstants.VHOST_USER_GET_FEATURES),
                replies());
        assertTrue(loop.watched.containsKey(session));
    }

    /** The vrings stay paused until the session has found that no message is left. */
    @Test
    void isDispatchedAgainIfTheBudgetIsSpentWithTheLastMessage() throws IOException {
        sendMemoryTable();
        for (int i = 0; i < MAX_REQUESTS_PER_DISPATCH; i++) {
            sendGetFeatures();
        }
        loop.fire(session);
        runExecutor();
        loop.rescheduled.clear();

        loop.fire(session);

        assertEquals(1 + MAX_REQUESTS_PER_DISPATCH, replies().size());
        assertTrue(loop.rescheduled.contains(session));
    }

    @Test
    void executorPostsTheSessionWhenTheFilesArePrepared() throws IOException {
        sendMemoryTable();
        loop.fire(session);
        loop.rescheduled.clear();

        runExecutor();

        assertTrue(loop.rescheduled.contains(session));
    }

    @Test
    void continuesOnceTheExecutorIsNoLongerFull() throws IOException {
        fillExecutor();
        sendGetFeatures();
        loop.fire(session);
        List<Integer> whileFull = replies();

        runExecutor();
        loop.runDeadline(session);

        assertEquals(List.of(), whileFull);
        assertEquals(List.of(VhostUserConstants.VHOST_USER_GET_FEATURES), replies());
    }

    @Test
    void eventFdIsAdoptedOnTheLoop() throws IOException {
        try (EventFd call = EventFd.create()) {
            frontEnd.send(message(VhostUserConstants.VHOST_USER_SET_VRING_CALL, NEED_REPLY, 0), call.fd());
        }

        loop.fire(session);

        assertEquals(List.of(VhostUserConstants.VHOST_USER_SET_VRING_CALL), replies());
    }

    @Test
    void filesArePreparedAndClosedIfTheSessionEndsMeanwhile() throws IOException {
        sendMemoryTable();
        loop.fire(session);

        session.close();
        runExecutor();

        assertFalse(isMemoryMapped());
    }

    @Test
    void isNotServedAfterItsEnd() throws IOException {
        sendMemoryTable();
        loop.fire(session);
        session.close();
        runExecutor();

        loop.fire(session);

        assertEquals(List.of(), replies());
    }
}
