package org.vhostuserrng.transport.vfiouser.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.buffer;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.message;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.read;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.u32;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.version;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.write;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.pci.FakePciFunction;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.Reply;

/** Messages, framing and the end of a session. */
@Timeout(120)
class VfioUserSessionTest {
    private static final int EINVAL = 22;
    private static final int ENOTSUP = 95;
    private static final int CONFIG = 7;

    @TempDir
    private Path directory;

    private SteppedVfioUserClient client;

    @BeforeEach
    void connect() throws IOException {
        client = new SteppedVfioUserClient(directory).negotiate();
    }

    @AfterEach
    void close() {
        client.close();
    }

    /** A session before its first message. */
    private SteppedVfioUserClient unnegotiated() throws IOException {
        client.close();
        client = new SteppedVfioUserClient(directory);
        return client;
    }

    // --- negotiation -----------------------------------------------------------------------------------------------

    @Test
    void repliesWithItsVersionAndCapabilities() throws IOException {
        Reply reply = unnegotiated().command(SteppedVfioUserClient.VERSION, version(0, 1, "{}\0"));

        assertEquals(0, reply.errno());
        assertEquals(0, reply.data().getShort(0));
        assertEquals(1, reply.data().getShort(2));
        assertEquals(0, reply.payload()[reply.payload().length - 1]);
    }

    @Test
    void answersAMalformedVersionAndEndsTheSession() throws IOException {
        Reply reply = unnegotiated().command(SteppedVfioUserClient.VERSION, version(0, 0, "{\0"));

        assertEquals(EINVAL, reply.errno());
        assertTrue(client.isEnded());
        assertEquals(1, client.closedCount);
    }

    @Test
    void aCommandBeforeVersionEndsTheSession() throws IOException {
        Reply reply = unnegotiated().command(SteppedVfioUserClient.GET_INFO, u32(16, 0, 0, 0));

        assertNull(reply);
        assertTrue(client.isEnded());
    }

    @Test
    void refusesASecondVersion() {
        Reply reply = client.command(SteppedVfioUserClient.VERSION, version(0, 0, "{}\0"));

        assertEquals(EINVAL, reply.errno());
        assertEquals(0, client.closedCount);
    }

    // --- info commands ---------------------------------------------------------------------------------------------

    @Test
    void describesTheDevice() {
        Reply reply = client.command(SteppedVfioUserClient.GET_INFO, u32(16, 0, 0, 0));

        assertArrayEquals(u32(16, 3, 9, 5), reply.payload());
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 0", "4, 3, 16384", "6, 0, 0", "7, 3, 256", "8, 0, 0"})
    void describesARegion(int index, int flags, int size) {
        Reply reply = client.command(SteppedVfioUserClient.GET_REGION_INFO, u32(32, 0, index, 0, 0, 0, 0, 0));

        assertArrayEquals(u32(32, flags, index, 0, size, 0, 0, 0), reply.payload());
    }

    @ParameterizedTest
    @CsvSource({"0, 7, 1", "1, 0, 0", "2, 9, 2", "3, 1, 1", "4, 0, 0"})
    void describesAnInterruptType(int index, int flags, int count) {
        Reply reply = client.command(SteppedVfioUserClient.GET_IRQ_INFO, u32(16, 0, index, 0));

        assertArrayEquals(u32(16, flags, index, count), reply.payload());
    }

    @Test
    void hasNoRegionIoFds() {
        Reply reply = client.command(SteppedVfioUserClient.GET_REGION_IO_FDS, u32(16, 0, 4, 0));

        assertArrayEquals(u32(16, 0, 4, 0), reply.payload());
    }

    @ParameterizedTest
    @CsvSource({
        "4, 15, 0, 0, 0",
        "5, 31, 0, 4, 32",
        "5, 32, 0, 9, 32",
        "5, 32, 0, -1, 32",
        "6, 15, 0, 4, 16",
        "6, 16, 1, 4, 16",
        "6, 16, 0, 9, 16",
        "7, 15, 0, 0, 16",
        "7, 16, 0, 5, 16",
        "7, 16, 0, -1, 16",
    })
    void refusesAnInvalidInfoCommand(int command, int argsz, int flags, int index, int bytes) {
        byte[] payload = buffer(Math.max(16, bytes))
                .putInt(argsz)
                .putInt(flags)
                .putInt(index)
                .array();

        assertEquals(EINVAL, client.command(command, payload).errno());
        assertEquals(0, client.closedCount);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 6, 7, 8, 9, 10, 15})
    void refusesATruncatedCommand(int command) {
        assertEquals(EINVAL, client.command(command, new byte[7]).errno());
        assertEquals(0, client.closedCount);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 11, 12, 14, 16, 17, 18, 99, 65535})
    void refusesACommandThatItDoesNotExecute(int command) {
        assertEquals(ENOTSUP, client.command(command, new byte[16]).errno());
        assertEquals(0, client.closedCount);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6, 7, 9, 10, 13, 15})
    void refusesADescriptorWithACommandThatHasNone(int command) throws IOException {
        EventFd eventfd = EventFd.create();

        Reply reply = client.command(command, new byte[40], eventfd.fd());

        assertEquals(EINVAL, reply.errno());
        assertEquals(0, client.closedCount);
    }

    // --- registers -------------------------------------------------------------------------------------------------

    @Test
    void readsWhatWasWritten() {
        client.command(SteppedVfioUserClient.REGION_WRITE, write(CONFIG, 0x10, (byte) 1, (byte) 2));

        Reply reply = client.command(SteppedVfioUserClient.REGION_READ, read(CONFIG, 0xf, 4));

        byte[] expected = buffer(20)
                .putLong(0xf)
                .putInt(CONFIG)
                .putInt(4)
                .put(new byte[] {0, 1, 2, 0})
                .array();
        assertArrayEquals(expected, reply.payload());
    }

    @Test
    void readsAWholeRegion() {
        Reply reply = client.command(SteppedVfioUserClient.REGION_READ, read(FakePciFunction.BAR4, 0, 0x4000));

        assertEquals(16 + 0x4000, reply.payload().length);
    }

    @Test
    void writesAWholeRegion() {
        Reply reply =
                client.command(SteppedVfioUserClient.REGION_WRITE, write(FakePciFunction.BAR4, 0, new byte[0x4000]));

        assertArrayEquals(read(FakePciFunction.BAR4, 0, 0x4000), reply.payload());
    }

    @Test
    void confirmsAWrite() {
        Reply reply = client.command(SteppedVfioUserClient.REGION_WRITE, write(CONFIG, 4, (byte) 6, (byte) 0));

        assertArrayEquals(read(CONFIG, 4, 2), reply.payload());
        assertEquals(List.of("7:4=0600"), client.function.writes);
    }

    @Test
    void doesNotReplyToAPostedWrite() {
        client.post(SteppedVfioUserClient.REGION_WRITE, write(CONFIG, 4, (byte) 6));

        assertNull(client.receive());
        assertEquals(List.of("7:4=06"), client.function.writes);
    }

    @Test
    void doesNotReplyToAnInvalidPostedWrite() {
        client.post(SteppedVfioUserClient.REGION_WRITE, write(CONFIG, 256, (byte) 6));

        assertNull(client.receive());
        assertEquals(0, client.closedCount);
        assertEquals(List.of(), client.function.writes);
    }

    @ParameterizedTest
    @CsvSource({
        "7, 256, 1",
        "7, 255, 2",
        "7, 0, 257",
        "7, 0, 0",
        "7, -1, 1",
        "7, -1, 2",
        "7, 9223372036854775807, 1",
        "7, -9223372036854775808, 4",
        "7, 0, -1",
        "7, 0, -2147483648",
        "7, 4, 2147483647",
        "0, 0, 1",
        "8, 0, 1",
        "9, 0, 1",
        "-1, 0, 1",
        "2147483647, 0, 1",
    })
    void refusesAnAccessOutsideARegion(int region, long offset, int count) {
        Reply readReply = client.command(SteppedVfioUserClient.REGION_READ, read(region, offset, count));
        Reply writeReply = client.command(
                SteppedVfioUserClient.REGION_WRITE,
                write(region, offset, new byte[count > 0 && count < 1000 ? count : 0]));

        assertEquals(EINVAL, readReply.errno());
        assertEquals(EINVAL, writeReply.errno());
        assertEquals(List.of(), client.function.writes);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 5, -1})
    void refusesAWriteWhoseCountIsNotTheLengthOfItsData(int count) {
        byte[] payload = write(CONFIG, 0, new byte[4]);
        ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder()).putInt(12, count);

        assertEquals(
                EINVAL,
                client.command(SteppedVfioUserClient.REGION_WRITE, payload).errno());
    }

    @Test
    void refusesAWriteLongerThanAnyRegionAndGoesOn() {
        client.send(SteppedVfioUserClient.REGION_WRITE, 0, write(CONFIG, 0, new byte[65536]), null);
        client.send(SteppedVfioUserClient.GET_INFO, 0, u32(16, 0, 0, 0), null);
        client.dispatch();
        client.dispatch();

        assertEquals(EINVAL, client.receive().errno());
        assertEquals(0, client.receive().errno());
    }

    // --- several writes in one message -----------------------------------------------------------------------------

    private static byte[] writeMulti(long count, byte[]... writes) {
        byte[] bytes = new byte[8 + 24 * writes.length];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(count);
        for (int i = 0; i < writes.length; i++) {
            System.arraycopy(writes[i], 0, bytes, 8 + 24 * i, writes[i].length);
        }
        return bytes;
    }

    @Test
    void executesSeveralWritesInOrder() {
        byte[] payload = writeMulti(2, write(CONFIG, 4, (byte) 1), write(FakePciFunction.BAR4, 8, new byte[8]));

        Reply reply = client.command(SteppedVfioUserClient.WRITE_MULTI, payload);

        assertArrayEquals(buffer(8).putLong(2).array(), reply.payload());
        assertEquals(List.of("7:4=01", "4:8=0000000000000000"), client.function.writes);
    }

    @Test
    void writesNothingIfOneOfSeveralWritesIsInvalid() {
        byte[] payload = writeMulti(2, write(CONFIG, 4, (byte) 1), write(CONFIG, 256, (byte) 1));

        assertEquals(
                EINVAL,
                client.command(SteppedVfioUserClient.WRITE_MULTI, payload).errno());
        assertEquals(List.of(), client.function.writes);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 2, -1, Long.MIN_VALUE, 1L << 32 | 1})
    void refusesAWrongNumberOfWrites(long count) {
        byte[] payload = writeMulti(count, write(CONFIG, 4, (byte) 1));

        assertEquals(
                EINVAL,
                client.command(SteppedVfioUserClient.WRITE_MULTI, payload).errno());
    }

    @Test
    void executesThousandsOfWritesInParts() {
        byte[][] writes = new byte[2000][];
        Arrays.fill(writes, write(CONFIG, 4, (byte) 1));

        Reply reply = client.command(SteppedVfioUserClient.WRITE_MULTI, writeMulti(2000, writes));

        assertArrayEquals(buffer(8).putLong(2000).array(), reply.payload());
        assertEquals(2000, client.function.writes.size());
    }

    // --- reset -----------------------------------------------------------------------------------------------------

    @Test
    void resetsTheFunction() {
        Reply reply = client.command(SteppedVfioUserClient.RESET, new byte[0]);

        assertEquals(0, reply.errno());
        assertEquals(1, client.function.resets);
    }

    // --- framing ---------------------------------------------------------------------------------------------------

    @Test
    void echoesTheIdOfACommand() {
        client.sendBytes(message(0xfedc, SteppedVfioUserClient.GET_INFO, 0, u32(16, 0, 0, 0)), null);
        client.dispatch();

        assertEquals(0xfedc, client.receive().id());
    }

    @Test
    void receivesAMessageByteByByte() {
        for (byte part : message(7, SteppedVfioUserClient.GET_INFO, 0, u32(16, 0, 0, 0))) {
            client.sendBytes(new byte[] {part}, null);
            client.dispatch();
        }

        assertEquals(0, client.receive().errno());
    }

    @Test
    void servesAllMessagesThatArrivedTogether() {
        for (int i = 0; i < 40; i++) {
            client.send(SteppedVfioUserClient.GET_INFO, 0, u32(16, 0, 0, 0), null);
        }
        client.dispatch();
        client.dispatch();
        client.dispatch();
        int replies = 0;
        while (client.receive() != null) {
            replies++;
        }

        assertEquals(40, replies);
    }

    @Test
    void servesAtMost16CommandsPerDispatch() {
        for (int i = 0; i < 20; i++) {
            client.send(SteppedVfioUserClient.RESET, 0, new byte[0], null);
        }
        client.loop.fire(client.session);
        int first = client.function.resets;
        client.loop.runRescheduled();

        assertEquals(16, first);
        assertEquals(20, client.function.resets);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 15, 1048576 + 33, -1, Integer.MIN_VALUE})
    void aMessageOfAnImpossibleLengthEndsTheSession(int length) {
        byte[] message = message(0, SteppedVfioUserClient.GET_INFO, 0, new byte[0]);
        ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(4, length);
        client.sendBytes(message, null);

        client.dispatch();

        assertTrue(client.isEnded());
        assertEquals(1, client.closedCount);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 15, 0x21})
    void aMessageThatIsNoCommandEndsTheSession(int flags) {
        client.sendBytes(message(0, SteppedVfioUserClient.GET_INFO, flags, u32(16, 0, 0, 0)), null);

        client.dispatch();

        assertTrue(client.isEnded());
    }

    // --- end -------------------------------------------------------------------------------------------------------

    @Test
    void endsWhenTheClientDisconnects() {
        client.disconnect();

        client.dispatch();

        assertEquals(1, client.closedCount);
        assertFalse(client.loop.watched.containsKey(client.session));
    }

    @Test
    void servesTheLastMessagesOfAClientThatDisconnects() {
        client.send(
                SteppedVfioUserClient.REGION_WRITE, SteppedVfioUserClient.NO_REPLY, write(CONFIG, 4, (byte) 6), null);
        client.disconnect();

        client.dispatch();
        client.dispatch();

        assertEquals(List.of("7:4=06"), client.function.writes);
        assertEquals(1, client.closedCount);
    }

    @Test
    void endsWhenTheClientReadsNoReply() {
        client.send(SteppedVfioUserClient.GET_INFO, 0, u32(16, 0, 0, 0), null);
        client.dispatch();
        EventHandler timer = client.loop.deadlines.keySet().iterator().next();

        client.loop.runDeadline(timer);

        assertEquals(1, client.closedCount);
    }

    @Test
    void receivesNothingWhileAReplyIsUnsent() {
        while (!client.loop.watchedForWriting.getOrDefault(client.session, false)) {
            client.send(SteppedVfioUserClient.REGION_READ, 0, read(FakePciFunction.BAR4, 0, 0x4000), null);
            client.dispatch();
        }
        client.send(SteppedVfioUserClient.REGION_WRITE, 0, write(CONFIG, 4, (byte) 6), null);
        client.dispatch();

        assertEquals(List.of(), client.function.writes);
    }

    @Test
    void bugEndsTheSession() {
        client.session.handleBug(new IllegalStateException("bug"));

        assertEquals(1, client.closedCount);
        assertTrue(client.isEnded());
    }

    @Test
    void isSilentOnlyBeforeItsFirstMessage() throws IOException {
        boolean afterVersion = client.session.isSilent(Long.MAX_VALUE);

        assertFalse(afterVersion);
        assertTrue(unnegotiated().session.isSilent(Long.MAX_VALUE));
    }
}
