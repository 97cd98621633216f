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
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.readahead.SourceUnavailableException;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** Tests the client with servers that run scripts. The test thread replaces the read-ahead thread. */
@Timeout(120)
class EgdClientSourceTest {
    private static final int BLOCK = 4096;
    private static final EgdClientSource.EgdTimeouts TIMEOUTS =
            new EgdClientSource.EgdTimeouts(TimeUnit.SECONDS.toNanos(60), TimeUnit.MILLISECONDS.toNanos(8));

    private final MemorySegment block = Arena.ofAuto().allocate(BLOCK);
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final List<String> failures = new ArrayList<>();
    private int discards;
    private int unavailable;
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
        source = new EgdClientSource(EgdServerAddress.parse(address), TIMEOUTS);
    }

    /** Reads once as the read-ahead thread does, but without a delay after a failure. */
    private int readOnce() {
        assertFalse(Thread.interrupted(), "took too long");
        block.fill((byte) 0);
        int result = BlockingEntropySource.NO_DATA;
        try {
            result = source.read(block, 0, BLOCK, poller);
        } catch (DiscardReadAheadException failure) {
            failures.add(failure.getMessage());
            discards++;
        } catch (SourceUnavailableException failure) {
            failures.add(failure.getMessage());
            unavailable++;
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
    void bytesOfACutReplyAddUpOverConnections() throws Exception {
        serve(connection -> {
            byte[] cut = connection.reply(connection.nextRequest());
            connection.send(cut, 0, 3);
        });

        byte[] bytes = readAtLeast(12);

        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        server.connections().forEach(connection -> sent.writeBytes(connection.sent()));
        assertPrefix(bytes, sent.toByteArray());
        assertEquals(List.of(), failures);
    }

    @Test
    void aConnectionWithoutBytesIsAFailure() throws Exception {
        serve(FakeEgdServer.Connection::nextRequest);

        readUntilConnections(3);

        assertTrue(unavailable > 0);
        assertEquals(failures.size(), unavailable, failures::toString);
        assertEquals(0, read.size());
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
    void keepsTheConnectionOfASilentServer() throws Exception {
        serve(connection -> {
            connection.answerRequests(2);
            TimeUnit.MILLISECONDS.sleep(300);
            connection.answerRequests(Integer.MAX_VALUE);
        });

        readAtLeast(1000);

        assertEquals(1, server.connections().size());
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
        CountDownLatch ended = new CountDownLatch(1);
        serve(connection -> ended.await());
        Thread waker = Thread.ofPlatform().start(() -> {
            while (!Thread.interrupted()) {
                poller.wakeUp();
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
        });
        readUntilConnections(1);

        int result = readOnce();

        waker.interrupt();
        waker.join();
        ended.countDown();
        assertEquals(BlockingEntropySource.NO_DATA, result);
    }

    @Test
    void closeClosesTheConnection() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        serve(connection -> {
            try {
                connection.answerRequests(Integer.MAX_VALUE);
            } finally {
                // The stream has ended, or the connection was reset because replies were in flight.
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
    void returnsTheBytesOfAllConnectionsInOrder(long seed) throws Exception {
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
            byte[] rest = Arrays.copyOfRange(bytes, at, bytes.length);
            int mismatch = Arrays.mismatch(rest, connection.sent());
            at += mismatch < 0 ? rest.length : mismatch;
        }
        assertEquals(bytes.length, at, "bytes that were not sent or out of order");
        assertNotEquals(0, at);
    }
}
