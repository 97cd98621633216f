package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.FakeEventScheduler;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests a session on a real socket, which the test dispatches. */
@Timeout(120)
class VhostUserSessionTest {
    private static final int REPLY_BYTES = 20;
    private static final int MAX_QUEUED = 64;

    private final FakeEventScheduler loop = new FakeEventScheduler();
    private final Queue<Runnable> closerThread = new ArrayDeque<>();
    private final PeerFileExecutor closer = new PeerFileExecutor(closerThread::add);
    private final SlowDevice device = new SlowDevice();
    private int closedCount;

    @TempDir
    private Path directory;

    private SocketChannel frontEnd;
    private VhostUserSession session;

    /** A device that takes a time to return its features. */
    private final class SlowDevice implements VirtioDevice {
        private long featuresNanos;

        @Override
        public String name() {
            return "slow";
        }

        @Override
        public String statistics() {
            return "nothing";
        }

        @Override
        public long features() {
            loop.now += featuresNanos;
            return FakeVirtioDevice.FEATURES;
        }

        @Override
        public int queueCount() {
            return 1;
        }

        @Override
        public VirtqueueHandler start(VirtqueueConfig config) {
            throw new IllegalStateException("no vring is started");
        }

        @Override
        public boolean persistIn(MemorySegment memory, boolean continued, long now, long monotonicNow) {
            // This device has no state.
            return true;
        }

        @Override
        public byte[] saveState(long now) {
            return new byte[0];
        }

        @Override
        public void loadState(long now, byte[] state) throws InvalidDeviceStateException {
            throw new InvalidDeviceStateException("no state");
        }
    }

    @BeforeEach
    void connect() throws IOException {
        Path path = directory.resolve("session");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            UnixStreamSocket socket = UnixStreamSocket.connect(path, closer);
            frontEnd = listener.accept();
            RateLimitedGuestLog log = new RateLimitedGuestLog("slow", () -> 0);
            session = VhostUserSession.open(
                    new GuestContext(loop, device, VhostUserOptions.DEFAULT, log, closer, "", null),
                    socket,
                    () -> closedCount++);
        }
    }

    @AfterEach
    void close() throws IOException {
        session.close();
        runCloser();
        frontEnd.close();
    }

    private void runCloser() {
        while (!closerThread.isEmpty()) {
            closerThread.remove().run();
        }
    }

    private void send(int id, int count) throws IOException {
        ByteBuffer messages = ByteBuffer.allocate(12 * count).order(ByteOrder.nativeOrder());
        for (int i = 0; i < count; i++) {
            messages.putInt(id).putInt(VhostUserConstants.VERSION).putInt(0);
        }
        messages.flip();
        while (messages.hasRemaining()) {
            frontEnd.write(messages);
        }
    }

    private void sendGetFeatures(int count) throws IOException {
        send(VhostUserConstants.VHOST_USER_GET_FEATURES, count);
    }

    /** Receives all replies that have arrived. Returns their number. */
    private int replies() throws IOException {
        frontEnd.configureBlocking(false);
        ByteBuffer replies = ByteBuffer.allocate(1 << 20);
        while (frontEnd.read(replies) > 0) {
            Thread.onSpinWait();
        }
        frontEnd.configureBlocking(true);
        assertEquals(0, replies.position() % REPLY_BYTES);
        return replies.position() / REPLY_BYTES;
    }

    private void fillCloser() {
        for (int i = 0; i < MAX_QUEUED; i++) {
            closer.execute(() -> {});
        }
    }

    // --- budget of a dispatch --------------------------------------------------------------------------------------

    @Test
    void servesAtMost16RequestsPerDispatch() throws IOException {
        sendGetFeatures(20);

        loop.fire(session);
        int first = replies();
        loop.fire(session);

        assertEquals(16, first);
        assertEquals(4, replies());
    }

    /** A dispatch receives no further request after more than 100 µs. */
    @ParameterizedTest
    @CsvSource({"100000, 2", "100001, 1", "50000, 3", "50001, 2"})
    void dispatchEndsWhenItsTimeIsSpent(long requestNanos, int served) throws IOException {
        loop.now = 1_000_000;
        device.featuresNanos = requestNanos;
        sendGetFeatures(5);

        loop.fire(session);

        assertEquals(served, replies());
    }

    // --- replies that the front-end does not read ------------------------------------------------------------------

    @Test
    void receivesNothingWhileAReplyIsUnsent() throws IOException {
        int sent = 0;
        while (!loop.watchedForWriting.getOrDefault(session, false)) {
            sendGetFeatures(16);
            sent += 16;
            loop.fire(session);
        }
        loop.fire(session);
        boolean stillWriting = loop.watchedForWriting.get(session);
        int served = replies();

        while (served < sent) {
            loop.fire(session);
            served += replies();
        }

        assertTrue(stillWriting);
        assertEquals(sent, served);
        assertEquals(false, loop.watchedForWriting.get(session));
    }

    @Test
    void doesNotWatchForWritingWhenAllRepliesAreSent() throws IOException {
        sendGetFeatures(1);

        loop.fire(session);

        assertFalse(loop.watchedForWriting.containsKey(session));
    }

    // --- descriptors that wait to be closed ------------------------------------------------------------------------

    @Test
    void pausesWhileTooManyDescriptorsWaitToBeClosed() throws IOException {
        loop.now = 5000;
        sendGetFeatures(1);
        fillCloser();

        loop.fire(session);

        assertEquals(0, replies());
        assertFalse(loop.watched.containsKey(session));
        assertEquals(5000 + PeerFileExecutor.RETRY_NANOS, loop.deadlines.get(session));
    }

    @Test
    void continuesWhenTheDescriptorsHaveBeenClosed() throws IOException {
        sendGetFeatures(1);
        fillCloser();
        loop.fire(session);
        loop.runDeadline(session);
        int whilePaused = replies();
        runCloser();

        loop.runDeadline(session);

        assertEquals(0, whilePaused);
        assertEquals(1, replies());
        assertTrue(loop.watched.containsKey(session));
    }

    @Test
    void closesWhilePaused() throws IOException {
        fillCloser();
        loop.fire(session);

        session.close();
        runCloser();

        assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
        assertFalse(loop.deadlines.containsKey(session));
    }

    // --- end -------------------------------------------------------------------------------------------------------

    @Test
    void endsWhenTheFrontEndDisconnects() throws IOException {
        frontEnd.close();

        loop.fire(session);

        assertEquals(1, closedCount);
        assertFalse(loop.watched.containsKey(session));
    }

    @Test
    void endsWhenTheFrontEndReadsNoReply() throws IOException {
        sendGetFeatures(1);
        loop.fire(session);

        loop.runDeadline(onlyOtherHandler());

        assertEquals(1, closedCount);
        assertTrue(loop.deadlines.isEmpty());
    }

    @Test
    void continuesWhenTheFrontEndHasReadItsReplies() throws IOException {
        sendGetFeatures(3);
        loop.fire(session);
        replies();

        loop.runDeadline(onlyOtherHandler());

        assertEquals(0, closedCount);
        assertTrue(loop.deadlines.isEmpty());
    }

    private EventHandler onlyOtherHandler() {
        return loop.deadlines.keySet().stream()
                .filter(handler -> handler != session)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void violationEndsTheSession() throws IOException {
        send(1000, 1);

        loop.fire(session);
        runCloser();

        assertEquals(1, closedCount);
        assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
    }

    @Test
    void bugEndsTheSession() {
        session.handleBug(new IllegalStateException("bug"));

        assertEquals(1, closedCount);
        assertFalse(loop.watched.containsKey(session));
    }

    @Test
    void endsOnce() {
        session.close();
        session.close();

        assertEquals(1, closedCount);
    }

    @Test
    void cancelsItsDispatches() {
        loop.reschedule(session);

        session.close();

        assertFalse(loop.rescheduled.contains(session));
    }
}
