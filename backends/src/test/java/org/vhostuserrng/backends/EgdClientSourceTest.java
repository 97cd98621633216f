package org.vhostuserrng.backends;

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
import org.vhostuserrng.backends.sys.WakeablePoller;

/** The reader against servers of every character. The test's thread is the filler's. */
@Timeout(120)
class EgdClientSourceTest {
    private static final int BLOCK = 4096;
    /** A server that is merely slow keeps its connection. */
    private static final EgdClientSource.Patience LONG_SILENCE = new EgdClientSource.Patience(
            TimeUnit.SECONDS.toNanos(60), TimeUnit.SECONDS.toNanos(60), TimeUnit.MILLISECONDS.toNanos(8));

    private static final EgdClientSource.Patience SHORT_SILENCE = new EgdClientSource.Patience(
            TimeUnit.SECONDS.toNanos(60), TimeUnit.MILLISECONDS.toNanos(200), TimeUnit.MILLISECONDS.toNanos(8));

    private final MemorySegment block = Arena.ofAuto().allocate(BLOCK);
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final List<String> failures = new ArrayList<>();
    private int outOfStep;
    private EgdClientSource.Patience patience = LONG_SILENCE;
    private WakeablePoller waiter;
    private EgdClientSource reader;
    private FakeEgdServer server;

    @TempDir
    private Path directory;

    @BeforeEach
    void openWaiter() throws IOException {
        waiter = WakeablePoller.open();
    }

    @AfterEach
    void close() throws Exception {
        if (reader != null) {
            reader.close();
        }
        if (server != null) {
            server.close();
        }
        waiter.close();
    }

    private void serve(FakeEgdServer.Script script) throws IOException {
        serve(1, script);
    }

    private void serve(long seed, FakeEgdServer.Script script) throws IOException {
        server = new FakeEgdServer(directory.resolve("egd"), seed, script);
        readFrom(server.address());
    }

    private void readFrom(String address) {
        reader = new EgdClientSource(EgdServerAddress.parse(address), patience);
    }

    /** What the filler does with a source, but that it pauses when that has failed. */
    private int readOnce() {
        assertFalse(Thread.interrupted(), "took too long");
        block.fill((byte) 0);
        int result = BlockingEntropySource.NOTHING;
        try {
            result = reader.read(block, 0, BLOCK, waiter);
        } catch (DiscardReadAheadException failure) {
            failures.add(failure.getMessage());
            outOfStep++;
        } catch (IOException failure) {
            failures.add(failure.getMessage());
        }
        read.writeBytes(block.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE));
        byte[] behind = block.asSlice(result).toArray(ValueLayout.JAVA_BYTE);
        assertArrayEquals(new byte[BLOCK - result], behind, "bytes that were not handed over stay in the block");
        return result;
    }

    private byte[] readAtLeast(int bytes) {
        while (read.size() < bytes) {
            readOnce();
        }
        return read.toByteArray();
    }

    private void readUntilConnectedAgain(int connections) {
        while (server.connections().size() < connections) {
            readOnce();
        }
    }

    private static byte[] joined(List<byte[]> replies) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        replies.forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static void assertPrefix(byte[] prefix, byte[] of) {
        assertArrayEquals(prefix, Arrays.copyOf(of, prefix.length));
    }

    @Test
    void bytesComeInTheirOrder() throws Exception {
        serve(connection -> connection.answer(Integer.MAX_VALUE));

        byte[] bytes = readAtLeast(1_000_000);

        assertPrefix(bytes, joined(server.connections().getFirst().replies()));
    }

    @Test
    void serverThatSendsOneByteAtATimeIsRead() throws Exception {
        serve(connection -> {
            for (int length = connection.nextRequest(); length > 0; length = connection.nextRequest()) {
                byte[] reply = connection.reply(length);
                for (int i = 0; i < length; i++) {
                    connection.send(reply, i, i + 1);
                }
            }
        });

        byte[] bytes = readAtLeast(3000);

        assertPrefix(bytes, joined(server.connections().getFirst().replies()));
    }

    @Test
    void slowServerIsAskedForLittle() throws Exception {
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
        assertTrue(largest <= EgdRequestWindow.NARROWEST_WINDOW / 4, () -> "a request of " + largest + " bytes");
    }

    @Test
    void replyThatIsCutOffIsThrownAway() throws Exception {
        serve(connection -> {
            if (server.connections().size() == 1 && connection.answer(3)) {
                byte[] cut = connection.reply(connection.nextRequest());
                connection.send(cut, 0, cut.length - 1);
            } else {
                connection.answer(Integer.MAX_VALUE);
            }
        });

        byte[] bytes = readAtLeast(1000);

        byte[] first = joined(server.connections().getFirst().replies().subList(0, 3));
        byte[] second = joined(server.connections().get(1).replies());
        assertPrefix(first, bytes);
        assertPrefix(Arrays.copyOfRange(bytes, first.length, bytes.length), second);
    }

    @Test
    void serverThatComesLateIsReadThen() throws Exception {
        Path path = directory.resolve("egd");
        readFrom("unix:" + path);
        while (failures.size() < 3) {
            readOnce();
        }
        assertTrue(failures.getFirst().startsWith("No such file or directory"), failures::toString);
        server = new FakeEgdServer(path, 1, connection -> connection.answer(Integer.MAX_VALUE));

        assertPrefix(readAtLeast(100), joined(server.connections().getFirst().replies()));
    }

    @Test
    void serverThatStopsSendingIsConnectedToAnew() throws Exception {
        patience = SHORT_SILENCE;
        serve(connection -> {
            if (server.connections().size() == 1) {
                connection.answer(2);
                while (connection.nextRequest() >= 0) {
                    assertEquals(2, connection.replies().size());
                }
            } else {
                connection.answer(Integer.MAX_VALUE);
            }
        });

        readAtLeast(1000);

        // More than two connections if the second one, too, was silent for 200 ms.
        assertTrue(server.connections().size() >= 2);
        assertEquals("the server has sent nothing for 200 ms", failures.getFirst());
    }

    @Test
    void serverThatNeverReadsIsConnectedToAnew() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        patience = SHORT_SILENCE;
        serve(connection -> {
            if (server.connections().size() == 1) {
                ended.await();
            } else {
                connection.answer(Integer.MAX_VALUE);
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
    void bytesThatNobodyAskedForAreToldAndTheConnectionIsClosed() throws Exception {
        serve(connection -> {
            boolean first = server.connections().size() == 1;
            int length = connection.nextRequest();
            while (length > 0) {
                byte[] reply = connection.reply(length);
                connection.send(reply);
                if (first) {
                    connection.send(new byte[EgdRequestWindow.WIDEST_WINDOW + 1]);
                }
                length = connection.nextRequest();
            }
        });

        while (outOfStep == 0) {
            readOnce();
        }
        read.reset();
        byte[] bytes = readAtLeast(100);

        assertPrefix(bytes, joined(server.connections().get(1).replies()));
    }

    @Test
    void greetingOfAServerThatDoesNotSpeakEgdIsNotServed() throws Exception {
        serve(connection ->
                connection.send("220 mail.example.org ESMTP\r\n".repeat(100).getBytes(StandardCharsets.US_ASCII)));

        readUntilConnectedAgain(4);

        assertTrue(read.size() <= 4 * EgdRequestWindow.NARROWEST_WINDOW, () -> read.size() + " bytes");
    }

    @Test
    void wakeUpEndsTheWaitForAByte() throws Exception {
        patience = SHORT_SILENCE;
        serve(connection -> TimeUnit.SECONDS.sleep(20));
        readUntilConnectedAgain(1);
        readOnce();

        waiter.wake();

        assertEquals(BlockingEntropySource.NOTHING, readOnce());
    }

    @Test
    void closedReaderClosesItsConnection() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        serve(connection -> {
            try {
                connection.answer(Integer.MAX_VALUE);
            } finally {
                // The end of the stream, or a reset if replies were on their way.
                closed.countDown();
            }
        });
        readAtLeast(10);

        reader.close();

        assertTrue(closed.await(60, TimeUnit.SECONDS));
    }

    @Test
    void connectionsThatAreLostLeaveNoDescriptors() throws Exception {
        serve(connection -> connection.answer(1));
        readUntilConnectedAgain(3);
        long before = descriptors();

        readUntilConnectedAgain(20);

        assertTrue(Math.abs(descriptors() - before) <= 2, "descriptors are left");
    }

    private static long descriptors() throws IOException {
        try (var fds = Files.list(Path.of("/proc/self/fd"))) {
            return fds.count();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void everyByteComesOnceAndInOrderAndOnlyPartsOfRepliesAreLost(long seed) throws Exception {
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
        assertEquals(bytes.length, at, "bytes that are no reply, or out of their order");
        assertNotEquals(0, at);
    }

    private static boolean startsWith(byte[] bytes, int at, byte[] reply) {
        return at + reply.length <= bytes.length && Arrays.equals(bytes, at, at + reply.length, reply, 0, reply.length);
    }
}
