package org.vhostuserrng.backends.egd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** Runs against scripted servers. The test thread acts as the read-ahead thread. */
@Timeout(120)
class EgdClientSourceTest {
    private static final int BLOCK = 4096;
    /** Timeouts that are long enough for a slow server to keep its connection. */
    private static final EgdClientSource.EgdTimeouts LONG_TIMEOUTS = new EgdClientSource.EgdTimeouts(
            TimeUnit.SECONDS.toNanos(60), TimeUnit.SECONDS.toNanos(60), TimeUnit.MILLISECONDS.toNanos(8));

    private static final EgdClientSource.EgdTimeouts SHORT_TIMEOUTS = new EgdClientSource.EgdTimeouts(
            TimeUnit.SECONDS.toNanos(60), TimeUnit.MILLISECONDS.toNanos(200), TimeUnit.MILLISECONDS.toNanos(8));

    private final MemorySegment block = Arena.ofAuto().allocate(BLOCK);
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final List<String> failures = new ArrayList<>();
    private int discards;
    private EgdClientSource.EgdTimeouts timeouts = LONG_TIMEOUTS;
    private WakeablePoller poller;
    private EgdClientSource source;
    private FakeEgdServer server;

    @TempDir
    private Path directory;

    @BeforeEach
    void openPoller() throws IOException {
        poller = WakeablePoller.open();
    }

    @AfterEach
    void close() throws Exception {
        if (source != null) {
            source.close();
        }
        if (server != null) {
            server.close();
        }
        poller.close();
    }

    private void serve(FakeEgdServer.Script script) throws IOException {
        serve(1, script);
    }

    private void serve(long seed, FakeEgdServer.Script script) throws IOException {
        server = new FakeEgdServer(directory.resolve("egd"), seed, script);
        readFrom(server.address());
    }

    private void readFrom(String address) {
        source = new EgdClientSource(EgdServerAddress.parse(address), timeouts);
    }

    /** Reads once, like the read-ahead thread, but without a delay after a failure. */
    private int readOnce() {
        assertFalse(Thread.interrupted(), "took too long");
        block.fill((byte) 0);
        int result = BlockingEntropySource.NO_DATA;
        try {
            result = source.read(block, 0, BLOCK, poller);
        } catch (DiscardReadAheadException failure) {
            failures.add(failure.getMessage());
            discards++;
        } catch (IOException failure) {
            failures.add(failure.getMessage());
        }
        read.writeBytes(block.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE));
        byte[] behind = block.asSlice(result).toArray(ValueLayout.JAVA_BYTE);
        assertArrayEquals(new byte[BLOCK - result], behind, "the block contains bytes that were not returned");
        return result;
    }

    private byte[] readAtLeast(int bytes) {
        while (read.size() < bytes) {
            readOnce();
        }
        return read.toByteArray();
    }

    private void readUntilConnections(int connections) {
        while (server.connections().size() < connections) {
            readOnce();
        }
    }

    private static byte[] concatenated(List<byte[]> replies) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        replies.forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static void assertPrefix(byte[] prefix, byte[] of) {
        assertArrayEquals(prefix, Arrays.copyOf(of, prefix.length));
    }

    @Test
    void returnsBytesInOrder() throws Exception {
        serve(connection -> connection.answerRequests(Integer.MAX_VALUE));

        byte[] bytes = readAtLeast(1_000_000);

        assertPrefix(bytes, concatenated(server.connections().getFirst().replies()));
    }

    @Test
    void readsRepliesSentByteByByte() throws Exception {
        serve(connection -> {
            for (int length = connection.nextRequest(); length > 0; length = connection.nextRequest()) {
                byte[] reply = connection.reply(length);
                for (int i = 0; i < length; i++) {
                    connection.send(reply, i, i + 1);
                }
            }
        });

        byte[] bytes = readAtLeast(3000);

        assertPrefix(bytes, concatenated(server.connections().getFirst().replies()));
    }

    @Test
    void requestsLittleFromSlowServer() throws Exception {
        serve(connection -> {
            for (int length = connection.nextRequest(); length > 0; length = connection.nextRequest()) {
                connection.send(connection.reply(length));
                TimeUnit.MILLISECONDS.sleep(60);
            }
        });

        readAtLeast(300);

        int largest = server.connections().getFirst().replies().stream()
                .mapToInt(reply -> reply.length)
                .max()
                .orElseThrow();
        assertTrue(largest <= EgdRequestWindow.MIN_WINDOW_BYTES / 4, () -> "a request of " + largest + " bytes");
    }

    @Test
    void discardsPartialReply() throws Exception {
        serve(connection -> {
            if (server.connections().size() == 1 && connection.answerRequests(3)) {
                byte[] cut = connection.reply(connection.nextRequest());
                connection.send(cut, 0, cut.length - 1);
            } else {
                connection.answerRequests(Integer.MAX_VALUE);
            }
        });

        byte[] bytes = readAtLeast(1000);

        byte[] first = concatenated(server.connections().getFirst().replies().subList(0, 3));
        byte[] second = concatenated(server.connections().get(1).replies());
        assertPrefix(first, bytes);
        assertPrefix(Arrays.copyOfRange(bytes, first.length, bytes.length), second);
    }

    @Test
    void connectsToServerStartedLater() throws Exception {
        Path path = directory.resolve("egd");
        readFrom("unix:" + path);
        while (failures.size() < 3) {
            readOnce();
        }
        assertTrue(failures.getFirst().startsWith("No such file or directory"), failures::toString);
        server = new FakeEgdServer(path, 1, connection -> connection.answerRequests(Integer.MAX_VALUE));

        assertPrefix(
                readAtLeast(100), concatenated(server.connections().getFirst().replies()));
    }

    @Test
    void reconnectsToServerThatStopsSending() throws Exception {
        timeouts = SHORT_TIMEOUTS;
        serve(connection -> {
            if (server.connections().size() == 1) {
                connection.answerRequests(2);
                while (connection.nextRequest() >= 0) {
                    assertEquals(2, connection.replies().size());
                }
            } else {
                connection.answerRequests(Integer.MAX_VALUE);
            }
        });

        readAtLeast(1000);

        // There are more than two connections if the second server was also silent for 200 ms.
        assertTrue(server.connections().size() >= 2);
        assertEquals("the server sent nothing for 200 ms", failures.getFirst());
    }

    @Test
    void reconnectsToServerThatNeverReads() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        timeouts = SHORT_TIMEOUTS;
        serve(connection -> {
            if (server.connections().size() == 1) {
                ended.await();
            } else {
                connection.answerRequests(Integer.MAX_VALUE);
            }
        });

        while (failures.isEmpty()) {
            readOnce();
        }
        ended.countDown();
        readAtLeast(100);

        assertTrue(server.connections().size() > 1);
    }

    @Test
    void discardsReadAheadAndReconnectsAfterUnrequestedBytes() throws Exception {
        serve(connection -> {
            boolean first = server.connections().size() == 1;
            int length = connection.nextRequest();
            while (length > 0) {
                byte[] reply = connection.reply(length);
                connection.send(reply);
                if (first) {
                    connection.send(new byte[EgdRequestWindow.MAX_WINDOW_BYTES + 1]);
                }
                length = connection.nextRequest();
            }
        });

        while (discards == 0) {
            readOnce();
        }
        read.reset();
        byte[] bytes = readAtLeast(100);

        assertPrefix(bytes, concatenated(server.connections().get(1).replies()));
    }

    @Test
    void servesAtMostOneWindowOfAnotherProtocol() throws Exception {
        serve(connection ->
                connection.send("220 mail.example.org ESMTP\r\n".repeat(100).getBytes(StandardCharsets.US_ASCII)));

        readUntilConnections(4);

        assertTrue(read.size() <= 4 * EgdRequestWindow.MIN_WINDOW_BYTES, () -> read.size() + " bytes");
    }

    @Test
    void wakeUpEndsTheWaitForAReply() throws Exception {
        timeouts = SHORT_TIMEOUTS;
        serve(connection -> TimeUnit.SECONDS.sleep(20));
        readUntilConnections(1);
        readOnce();

        poller.wakeUp();

        assertEquals(BlockingEntropySource.NO_DATA, readOnce());
    }

    @Test
    void closeClosesTheConnection() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        serve(connection -> {
            try {
                connection.answerRequests(Integer.MAX_VALUE);
            } finally {
                // End of stream, or a reset if replies were in flight.
                closed.countDown();
            }
        });
        readAtLeast(10);

        source.close();

        assertTrue(closed.await(60, TimeUnit.SECONDS));
    }

    @Test
    void lostConnectionsLeakNoDescriptors() throws Exception {
        serve(connection -> connection.answerRequests(1));
        readUntilConnections(3);
        long before = descriptors();

        readUntilConnections(20);

        assertTrue(Math.abs(descriptors() - before) <= 2, "descriptors were leaked");
    }

    private static long descriptors() throws IOException {
        try (var fds = Files.list(Path.of("/proc/self/fd"))) {
            return fds.count();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void returnsOnlyCompleteRepliesInOrder(long seed) throws Exception {
        Random random = new Random(seed);
        serve(seed, connection -> {
            int replies = random.nextInt(200);
            for (int i = 0; i <= replies; i++) {
                int length = connection.nextRequest();
                if (length < 0) {
                    return;
                }
                byte[] reply = connection.reply(length);
                int cut = random.nextInt(length);
                connection.send(reply, 0, cut);
                if (random.nextInt(10) == 0) {
                    TimeUnit.MILLISECONDS.sleep(1);
                }
                if (i < replies) {
                    connection.send(reply, cut, length);
                }
            }
        });

        while (server.connections().size() < 15) {
            readOnce();
        }
        byte[] bytes = read.toByteArray();

        int at = 0;
        for (FakeEgdServer.Connection connection : server.connections()) {
            for (byte[] reply : connection.replies()) {
                if (at < bytes.length && startsWith(bytes, at, reply)) {
                    at += reply.length;
                }
            }
        }
        assertEquals(bytes.length, at, "bytes outside of complete replies or out of order");
        assertNotEquals(0, at);
    }

    private static boolean startsWith(byte[] bytes, int at, byte[] reply) {
        return at + reply.length <= bytes.length && Arrays.equals(bytes, at, at + reply.length, reply, 0, reply.length);
    }
}
