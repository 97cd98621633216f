package org.vhostuserrng.cli.egd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** Tests the commands and replies of one client. */
class EgdServerSessionTest {
    private static final long MILLI = 1_000_000;

    private final EgdRoundRobinScheduler scheduler = new EgdRoundRobinScheduler();
    private final EgdSequenceSource source = new EgdSequenceSource(0);
    private final FakeEgdClientChannel client = new FakeEgdClientChannel();
    private EgdServerSession session =
            new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, GuestRateLimiter.UNLIMITED, 1000));
    private long now;

    /** Runs one iteration of the server. Returns the bytes that the client receives. */
    private byte[] serve() throws IOException {
        if (session.canReceive()) {
            session.receive(client);
        }
        session.handleCommands(scheduler, now);
        scheduler.distribute(source, now);
        session.send(client);
        session.handleCommands(scheduler, now);
        return client.received();
    }

    private byte[] serveUntilQuiet() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int quiet = 0;
        while (quiet < 3) {
            byte[] reply = serve();
            all.writeBytes(reply);
            quiet = reply.length == 0 ? quiet + 1 : 0;
        }
        return all.toByteArray();
    }

    private static byte[] counted(int from, int to) {
        byte[] bytes = new byte[to - from];
        for (int i = from; i < to; i++) {
            bytes[i - from] = EgdSequenceSource.byteAt(i);
        }
        return bytes;
    }

    private static byte[] bytes(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length);
        IntStream.of(values).forEach(value -> bytes.put((byte) value));
        return bytes.array();
    }

    /** Makes bytes available in the scheduler's buffer. */
    private void provide(int bytes) {
        source.allow(bytes);
        scheduler.distribute(source, now);
    }

    @Test
    void levelIsInBitsAndBigEndian() throws Exception {
        provide(100);
        client.send(0x00);

        assertArrayEquals(bytes(0, 0, 800 >> 8, 800 & 0xff), serve());
    }

    @Test
    void nonBlockingReadReturnsTheAvailableBytes() throws Exception {
        provide(3);
        client.send(0x01, 10);

        assertArrayEquals(bytes(3, 1, 2, 3), serve());
    }

    @Test
    void nonBlockingReadReturnsZeroBytesIfTheSourceIsStarved() throws Exception {
        client.send(0x01, 10);

        assertArrayEquals(bytes(0), serve());
    }

    @Test
    void nonBlockingReadReturnsAtMostTheRequestedBytes() throws Exception {
        provide(100);
        client.send(0x01, 2, 0x01, 2);

        assertArrayEquals(bytes(2, 1, 2, 2, 3, 4), serve());
    }

    @Test
    void blockingReadIsServedAsBytesBecomeAvailable() throws Exception {
        client.send(0x02, 5);
        assertEquals(0, serve().length);
        source.allow(2);
        int first = serveUntilQuiet().length;
        source.allow(10);
        int rest = serveUntilQuiet().length;

        assertTrue(first > 0 && first <= 2, () -> first + " of 2");
        assertEquals(5, first + rest);
    }

    @Test
    void blockingReadReplyHasNoLengthByte() throws Exception {
        provide(10);
        client.send(0x02, 4);

        assertArrayEquals(counted(0, 4), serve());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x02})
    void readOfZeroBytesIsAnsweredAndTheNextCommandHandled(int command) throws Exception {
        provide(10);
        client.send(command, 0, 0x01, 1);

        byte[] reply = serve();

        assertArrayEquals(command == 0x01 ? bytes(0, 1, 1) : bytes(1, 1), reply);
    }

    @Test
    void writtenBytesAreDiscarded() throws Exception {
        provide(10);
        client.send(0x03, 0, 24, 3, 0x99, 0x99, 0x99, 0x01, 1);

        assertArrayEquals(bytes(1, 1), serve());
    }

    @Test
    void pidReplyIsTheProcessId() throws Exception {
        String pid = Long.toString(ProcessHandle.current().pid());
        client.send(0x04);

        byte[] reply = serve();

        assertEquals(pid.length(), reply[0]);
        assertEquals(pid, new String(reply, 1, reply.length - 1, StandardCharsets.US_ASCII));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x05, 0x7f, 0xff})
    void unknownCommandIsAProtocolErrorAfterPreviousCommandsAreAnswered(int command) throws Exception {
        provide(10);
        client.send(0x01, 1, command, 0x01, 1);

        assertArrayEquals(bytes(1, 1), serve());
        assertTrue(session.hasProtocolError());
        assertEquals(command, session.unknownCommand());
    }

    @Test
    void incompleteCommandWaitsForTheRest() throws Exception {
        provide(10);
        client.send(0x01);
        assertEquals(0, serve().length);
        client.send(1);

        assertArrayEquals(bytes(1, 1), serve());
    }

    @Test
    void commandWaitsForAPreviousBlockingRead() throws Exception {
        client.send(0x02, 1, 0x00);
        assertEquals(0, serve().length);
        source.allow(1000);

        assertEquals(5, serveUntilQuiet().length);
    }

    @Test
    void clientThatShutsDownItsOutputGetsItsReplies() throws Exception {
        client.send(0x02, 9).end();
        serve();
        assertFalse(session.isComplete());
        source.allow(100);
        byte[] reply = serveUntilQuiet();

        assertEquals(9, reply.length);
        assertTrue(session.isComplete());
    }

    @Test
    void clientThatShutsDownWithinACommandIsComplete() throws Exception {
        client.send(0x02).end();
        serveUntilQuiet();

        assertTrue(session.isComplete());
    }

    @Test
    void pipelinedCommandsBeyondTheMaximumStayInTheSocket() throws Exception {
        int[] flood = new int[10_000];
        Arrays.fill(flood, 0x02);
        client.send(flood);

        serveUntilQuiet();

        assertEquals(flood.length - EgdServerSession.MAX_COMMAND_BYTES, client.unread(), 2);
        assertFalse(session.canReceive());
    }

    @Test
    void bytesForAClientThatDoesNotReadAreBounded() throws Exception {
        source.allow(1_000_000);
        client.room(0);
        for (int i = 0; i < 500; i++) {
            client.send(0x02, 255);
        }

        serveUntilQuiet();
        long taken = source.given();
        client.room(Integer.MAX_VALUE);
        byte[] all = serveUntilQuiet();

        assertTrue(taken <= EgdServerSession.MAX_REPLY_BYTES + (1 << 14), () -> taken + " taken");
        assertEquals(500 * 255, all.length);
    }

    @Test
    void rateLimitAppliesToBlockingAndNonBlockingReads() throws Exception {
        session = new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, 100, 1000));
        source.allow(10_000);
        client.send(0x02, 90, 0x01, 255, 0x02, 255);

        byte[] first = serveUntilQuiet();
        long again = session.nextAllowedAt(now);
        now = again;
        byte[] second = serveUntilQuiet();

        assertEquals(1 + 100, first.length);
        assertTrue(again >= 1000 * MILLI && again < 1100 * MILLI, () -> again + " ns");
        assertEquals(100, second.length);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void bytesArriveOnceAndInOrderWithFragmentedCommandsAndReplies(long seed) throws Exception {
        Random random = new Random(seed);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int asked = 0;
        for (int i = 0; i < 2000; i++) {
            int length = random.nextInt(256);
            asked += length;
            client.send(0x02);
            if (random.nextBoolean()) {
                all.writeBytes(serve());
            }
            client.send(length);
            client.room(random.nextInt(1000));
            source.allow(random.nextInt(300));
            all.writeBytes(serve());
        }
        client.room(Integer.MAX_VALUE);
        source.allow(asked + 100_000);
        all.writeBytes(serveUntilQuiet());

        assertArrayEquals(counted(0, asked), all.toByteArray());
    }
}
