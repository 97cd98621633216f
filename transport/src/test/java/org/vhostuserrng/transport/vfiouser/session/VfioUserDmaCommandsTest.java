package org.vhostuserrng.transport.vfiouser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DMA_MAP;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DMA_READ;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DMA_UNMAP;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DMA_WRITE;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.READ_WRITE;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.REGION_WRITE;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.VERSION;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.buffer;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.map;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.u32;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.unmap;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.version;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.write;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.pci.FakePciFunction;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DmaCommand;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/** Virtqueues in DMA regions without a descriptor. */
@Timeout(120)
class VfioUserDmaCommandsTest {
    private static final int SIZE = 0x10000;
    // The virtqueue of FakePciFunction, with 8 descriptors.
    private static final int TABLE = 0x1000;
    private static final int AVAIL = 0x2000;
    private static final int USED = 0x3000;
    private static final int BUFFER = 0x5000;
    private static final int INDIRECT = 4;
    private static final byte[] START = write(FakePciFunction.BAR4, FakePciFunction.START_OFFSET, (byte) 15);
    private static final byte[] NOTIFY = write(FakePciFunction.BAR4, FakePciFunction.NOTIFY_OFFSET, (byte) 0, (byte) 0);
    private static final List<String> ROUND_WITHOUT_REQUEST =
            List.of("read 2000+22", "read 2004+18", "read 1000+128", "read 2000+22");

    @TempDir
    private Path directory;

    private SteppedVfioUserClient client;
    private ByteBuffer guest;
    private int available;

    @BeforeEach
    void connect() throws IOException {
        client = new SteppedVfioUserClient(directory).negotiate();
        client.device.servesSplitVirtqueues = true;
        guest = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        available = 0;
    }

    @AfterEach
    void close() {
        client.close();
    }

    private void mapWithoutDescriptor() {
        assertEquals(0, client.command(DMA_MAP, map(READ_WRITE, 0, 0, SIZE)).errno());
    }

    /** Maps all memory without a descriptor, starts the virtqueue, and executes the commands of the server. */
    private void start() {
        mapWithoutDescriptor();
        client.post(REGION_WRITE, START);
        execute();
    }

    private void makeAvailable(long address, int length) {
        makeAvailable(guest, address, length, 2);
    }

    private void makeAvailable(ByteBuffer memory, long address, int length, int flags) {
        int head = available % 8;
        memory.putLong(TABLE + 16 * head, address);
        memory.putInt(TABLE + 16 * head + 8, length);
        memory.putShort(TABLE + 16 * head + 12, (short) flags);
        memory.putShort(AVAIL + 4 + 2 * head, (short) head);
        available++;
        memory.putShort(AVAIL + 2, (short) available);
    }

    private void kick() {
        client.post(REGION_WRITE, NOTIFY);
    }

    private int usedIdx() {
        return guest.getShort(USED + 2);
    }

    private void execute(DmaCommand command) {
        byte[] payload;
        if (command.isWrite()) {
            guest.put((int) command.address(), command.data());
            payload = new byte[0];
        } else {
            byte[] data = new byte[command.count()];
            guest.get((int) command.address(), data);
            payload = buffer(16 + data.length)
                    .putLong(command.address())
                    .putLong(data.length)
                    .put(data)
                    .array();
        }
        client.reply(command.id(), command.command(), 0, payload);
    }

    /** Executes the commands of the server up to the last one. Returns them. */
    private List<String> execute() {
        List<String> executed = new ArrayList<>();
        for (DmaCommand command = client.receiveCommand(); command != null; command = client.receiveCommand()) {
            executed.add(command.toString());
            execute(command);
        }
        return executed;
    }

    /** Executes commands until the first one with this text, which it returns. */
    private DmaCommand executeUntil(String text) {
        DmaCommand command = client.receiveCommand();
        while (command != null && !command.toString().equals(text)) {
            execute(command);
            command = client.receiveCommand();
        }
        assertNotNull(command, text);
        return command;
    }

    // --- requests --------------------------------------------------------------------------------------------------

    @Test
    void startsAtTheUsedIndexAndLooksForRequests() {
        mapWithoutDescriptor();

        client.post(REGION_WRITE, START);

        List<String> expected = new ArrayList<>(List.of("read 3000+4"));
        expected.addAll(ROUND_WITHOUT_REQUEST);
        assertEquals(expected, execute());
    }

    @Test
    void writesTheBufferThenTheUsedElementThenTheUsedIndex() {
        start();
        makeAvailable(BUFFER, 64);

        kick();

        assertEquals(
                List.of(
                        "read 2000+22",
                        "read 2004+18",
                        "read 1000+128",
                        "write 5000+64",
                        "write 3004+8",
                        "write 3000+4",
                        "read 2000+22"),
                execute());
        assertEquals(1, usedIdx());
        assertEquals(64, guest.getInt(USED + 8));
        assertEquals(1, guest.get(BUFFER + 63));
        assertEquals(0, guest.get(BUFFER + 64));
    }

    @Test
    void servesRequestsOneAfterTheOther() {
        start();

        for (int i = 1; i <= 20; i++) {
            makeAvailable(BUFFER, 64);
            kick();
            execute();

            assertEquals(i, usedIdx());
            assertEquals(i, guest.get(BUFFER));
        }
    }

    @Test
    void servesRequestsThatArriveMeanwhile() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand last = executeUntil("write 3000+4");
        makeAvailable(BUFFER + 0x100, 64);

        execute(last);
        execute();

        assertEquals(2, usedIdx());
        assertEquals(2, guest.get(BUFFER + 0x100));
    }

    @Test
    void hasOneCommandInFlight() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        kick();
        client.session.dispatchVrings();
        client.dispatch();

        assertNotNull(client.receiveCommand());
        assertNull(client.receiveCommand());
    }

    @Test
    void answersTheCommandsOfTheClientMeanwhile() {
        start();
        kick();
        DmaCommand pending = client.receiveCommand();

        SteppedVfioUserClient.Reply reply = client.command(SteppedVfioUserClient.GET_INFO, u32(16, 0, 0, 0));
        execute(pending);

        assertEquals(0, reply.errno());
        assertFalse(execute().isEmpty());
        assertEquals(0, client.closedCount);
    }

    @Test
    void notifiesTheDriverAfterTheUsedIndexIsWritten() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand last = executeUntil("write 3000+4");
        int before = client.function.notifications;

        execute(last);
        execute();

        assertEquals(0, before);
        assertEquals(1, client.function.notifications);
    }

    @Test
    void doesNotNotifyADriverThatWantsNoInterrupt() {
        start();
        guest.putShort(AVAIL, (short) VirtioConstants.VIRTQ_AVAIL_F_NO_INTERRUPT);
        makeAvailable(BUFFER, 64);

        kick();
        execute();

        assertEquals(1, usedIdx());
        assertEquals(0, client.function.notifications);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 0"})
    void withEventIdxUsedEventDecidesOnTheNotification(short usedEvent, int notifications) {
        mapWithoutDescriptor();
        client.function.features |= VirtioConstants.VIRTIO_F_EVENT_IDX;
        client.post(REGION_WRITE, START);
        execute();
        guest.putShort(AVAIL + 20, usedEvent);
        makeAvailable(BUFFER, 64);

        kick();
        List<String> executed = execute();

        assertTrue(executed.contains("write 3044+2"), executed::toString);
        assertEquals(1, guest.getShort(USED + 68));
        assertEquals(notifications, client.function.notifications);
    }

    @Test
    void readsAnIndirectTable() {
        start();
        guest.putLong(0x7000, BUFFER).putInt(0x7008, 32).putShort(0x700c, (short) 2);
        makeAvailable(guest, 0x7000, 16, INDIRECT);

        kick();
        List<String> executed = execute();

        assertTrue(executed.contains("read 7000+16"), executed::toString);
        assertEquals(1, usedIdx());
        assertEquals(1, guest.get(BUFFER + 31));
    }

    @Test
    void readsAnIndirectTableAgainForEachRequest() {
        start();
        guest.putLong(0x7000, BUFFER).putInt(0x7008, 32).putShort(0x700c, (short) 2);
        makeAvailable(guest, 0x7000, 16, INDIRECT);
        kick();
        execute();
        guest.putLong(0x7000, BUFFER + 0x100);
        makeAvailable(guest, 0x7000, 16, INDIRECT);

        kick();
        execute();

        assertEquals(2, guest.get(BUFFER + 0x100));
        assertEquals(1, guest.get(BUFFER));
    }

    @Test
    void aLongIndirectTableBreaksTheVirtqueue() throws IOException {
        client.command(DMA_MAP, map(READ_WRITE, 0, 0x100000, 0x100000));
        start();
        makeAvailable(guest, 0x100000, ShadowVirtqueue.MAX_INDIRECT_TABLE_BYTES + 16, INDIRECT);

        kick();
        execute();

        assertEquals(List.of(0), client.function.broken);
    }

    @Test
    void respectsTheMaximumTransferSizeOfTheClient() throws IOException {
        connectWithTransferSize(64);
        start();
        makeAvailable(BUFFER, 100);

        kick();
        List<String> executed = execute();

        assertTrue(executed.containsAll(List.of("write 5000+64", "write 5040+36")), executed::toString);
        assertEquals(1, usedIdx());
    }

    private void connectWithTransferSize(int size) throws IOException {
        client.close();
        client = new SteppedVfioUserClient(directory);
        client.device.servesSplitVirtqueues = true;
        String data = "{\"capabilities\":{\"max_data_xfer_size\":" + size + "}}\0";
        assertEquals(0, client.command(VERSION, version(0, 0, data)).errno());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63})
    void doesNotAccessTheMemoryOfAClientThatAcceptsTooSmallTransfers(int size) throws IOException {
        connectWithTransferSize(size);
        start();

        kick();

        assertEquals(List.of(0), client.function.broken);
        assertNull(client.receiveCommand());
    }

    @Test
    void aPackedVirtqueueBreaksWhenItIsNotified() {
        mapWithoutDescriptor();
        client.function.features |= VirtioConstants.VIRTIO_F_RING_PACKED;
        client.post(REGION_WRITE, START);
        List<Integer> before = List.copyOf(client.function.broken);

        kick();

        assertEquals(List.of(), before);
        assertEquals(List.of(0), client.function.broken);
    }

    // --- regions with and without a descriptor ---------------------------------------------------------------------

    /** Maps a memfd, and returns its bytes. */
    private MemorySegment share(long address, long size) throws IOException {
        OwnedFd file = SealedMemfd.create("memory", size);
        MemorySegment bytes = MemoryMapping.map(file, 0, size).open().segment();
        assertEquals(
                0,
                client.command(DMA_MAP, map(READ_WRITE, 0, address, size), file).errno());
        return bytes;
    }

    @Test
    void aBufferInASharedRegionIsWrittenDirectly() throws IOException {
        MemorySegment shared = share(0x100000, 0x1000);
        start();
        makeAvailable(0x100010, 64);

        kick();
        List<String> executed = execute();

        assertFalse(executed.toString().contains("write 1000"), executed::toString);
        assertEquals(1, shared.get(ValueLayout.JAVA_BYTE, 0x10));
        assertEquals(1, usedIdx());
    }

    @Test
    void theUsedIndexInASharedRegionComesAfterABufferInAnotherRegion() throws IOException {
        client.command(DMA_MAP, map(READ_WRITE, 0, 0x100000, SIZE));
        MemorySegment shared = share(0, SIZE);
        client.post(REGION_WRITE, START);
        makeAvailable(shared.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN), 0x100000, 64, 2);

        kick();
        DmaCommand command = client.receiveCommand();
        int before = shared.get(ValueLayout.JAVA_SHORT_UNALIGNED, USED + 2L);
        client.reply(command.id(), command.command(), 0, new byte[0]);

        assertEquals("write 100000+64", command.toString());
        assertEquals(0, before);
        assertEquals(1, shared.get(ValueLayout.JAVA_SHORT_UNALIGNED, USED + 2L));
        assertEquals(1, client.function.notifications);
    }

    @Test
    void aVirtqueueInASharedRegionNeedsNoCommands() throws IOException {
        client.command(DMA_MAP, map(READ_WRITE, 0, 0x100000, SIZE));
        MemorySegment shared = share(0, SIZE);
        client.post(REGION_WRITE, START);
        makeAvailable(shared.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN), BUFFER, 64, 2);

        kick();

        assertNull(client.receiveCommand());
        assertEquals(1, shared.get(ValueLayout.JAVA_SHORT_UNALIGNED, USED + 2L));
    }

    // --- end of a run ----------------------------------------------------------------------------------------------

    @Test
    void unmapIsAnsweredWhileACommandIsInFlightAndNoOtherCommandFollows() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand inFlight = executeUntil("write 5000+64");

        int errno = client.command(DMA_UNMAP, unmap(0, SIZE)).errno();
        client.reply(inFlight.id(), inFlight.command(), 0, new byte[0]);

        assertEquals(0, errno);
        assertNull(client.receiveCommand());
        assertEquals(0, client.closedCount);
    }

    @Test
    void aRequestThatWasInterruptedIsServedWithOtherBytesWhenTheMemoryIsMappedAgain() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand inFlight = executeUntil("write 5000+64");
        client.command(DMA_UNMAP, unmap(0, SIZE));
        client.reply(inFlight.id(), inFlight.command(), 14, new byte[0]);

        mapWithoutDescriptor();
        execute();

        assertEquals(1, usedIdx());
        assertEquals(2, guest.get(BUFFER));
        assertEquals(List.of(), client.function.broken);
    }

    @Test
    void aRequestWhoseUsedIndexTheGuestHasIsNotServedAgain() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand inFlight = executeUntil("write 3000+4");
        guest.put((int) inFlight.address(), inFlight.data());

        client.command(DMA_MAP, map(READ_WRITE, 0, 0x100000, SIZE));
        int notificationsBefore = client.function.notifications;
        client.reply(inFlight.id(), inFlight.command(), 0, new byte[0]);
        execute();

        assertEquals(1, usedIdx());
        assertEquals(1, guest.get(BUFFER));
        assertEquals(0, notificationsBefore);
        assertEquals(1, client.function.notifications);
    }

    @Test
    void theNextRunWaitsForTheReplyToTheLastCommand() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand inFlight = executeUntil("write 5000+64");

        client.command(SteppedVfioUserClient.RESET, new byte[0]);
        client.post(REGION_WRITE, START);
        DmaCommand meanwhile = client.receiveCommand();
        client.reply(inFlight.id(), inFlight.command(), 0, new byte[0]);

        assertNull(meanwhile);
        assertEquals("read 3000+4", client.receiveCommand().toString());
    }

    @Test
    void aWriteIsInFlightAfterAResetUntilTheClientReplies() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand inFlight = executeUntil("write 5000+64");

        client.command(SteppedVfioUserClient.RESET, new byte[0]);
        boolean before = client.function.host.isMemoryWriteInFlight();
        client.reply(inFlight.id(), inFlight.command(), 0, new byte[0]);

        assertTrue(before);
        assertFalse(client.function.host.isMemoryWriteInFlight());
        assertNull(client.receiveCommand());
    }

    @Test
    void theEndOfBusMasteringEndsTheCommands() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand inFlight = executeUntil("write 5000+64");

        client.function.host.setBusMaster(false);
        client.reply(inFlight.id(), inFlight.command(), 0, new byte[0]);
        DmaCommand meanwhile = client.receiveCommand();
        client.function.host.setBusMaster(true);
        client.dispatch();
        execute();

        assertNull(meanwhile);
        assertEquals(1, usedIdx());
    }

    @Test
    void disconnectingEndsTheSession() {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        executeUntil("write 5000+64");

        client.disconnect();
        client.dispatch();

        assertEquals(1, client.closedCount);
        assertTrue(client.device.serving.getLast().stopped);
    }

    @Test
    void aBrokenVirtqueueSendsNoCommands() {
        start();
        makeAvailable(0xdead0000L, 64);

        kick();
        execute();
        kick();

        assertEquals(List.of(0), client.function.broken);
        assertNull(client.receiveCommand());
        assertEquals(0, client.closedCount);
    }

    @Test
    void aStarvedVirtqueueIsParkedAndServedLater() {
        start();
        client.device.serving.getLast().result = DrainResult.STARVED;
        kick();
        execute();
        int parked = client.loop.parked.size();
        client.device.serving.getLast().result = DrainResult.EMPTY;
        makeAvailable(BUFFER, 64);

        client.session.dispatchVrings();
        client.dispatch();
        execute();

        assertEquals(1, parked);
        assertEquals(1, usedIdx());
    }

    // --- clients that violate the protocol -------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"read 2000+22", "write 5000+64"})
    void anErrorBreaksTheVirtqueueOnly(String text) {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand command = executeUntil(text);

        client.reply(command.id(), command.command(), 14, new byte[0]);

        assertEquals(List.of(0), client.function.broken);
        assertEquals(0, client.closedCount);
        assertNull(client.receiveCommand());
    }

    @ParameterizedTest
    @CsvSource({
        // id, command, address, count, bytes of data
        "1, 0, 0, 0, 0",
        "0, 1, 0, 0, 0",
        "0, -1, 0, 0, 0",
        "0, 0, 1, 0, 0",
        "0, 0, 0, 1, 0",
        "0, 0, 0, -1, 0",
        "0, 0, 0, 0, 1",
        "0, 0, 0, 0, -1",
        "0, 0, 0, 0, -22",
        "0, 0, 0, 0, 70000",
    })
    void aReplyThatDoesNotBelongToTheReadEndsTheSession(int id, int command, long address, long count, int bytes) {
        start();
        kick();
        DmaCommand sent = client.receiveCommand();
        byte[] payload = buffer(16 + sent.count() + bytes)
                .putLong(sent.address() + address)
                .putLong(sent.count() + count)
                .array();

        client.reply(sent.id() + id, DMA_READ + command, 0, payload);

        assertEquals(1, client.closedCount);
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 16", "0, 0, 12", "0, 0, 0"})
    void acceptsTheRepliesOfAllClientsToAWrite(long address, long count, int bytes) {
        assertEquals(0, closedAfterReplyToWrite(address, count, bytes));
    }

    @ParameterizedTest
    @CsvSource({"1, 0, 16", "0, 1, 16", "1, 0, 12", "0, 1, 12", "0, 0, 8", "0, 0, 17", "0, 4294967296, 16"})
    void aReplyThatDoesNotBelongToTheWriteEndsTheSession(long address, long count, int bytes) {
        assertEquals(1, closedAfterReplyToWrite(address, count, bytes));
    }

    private int closedAfterReplyToWrite(long address, long count, int bytes) {
        start();
        makeAvailable(BUFFER, 64);
        kick();
        DmaCommand sent = executeUntil("write 5000+64");
        byte[] payload =
                buffer(24).putLong(BUFFER + address).putLong(64 + count).array();
        client.reply(sent.id(), DMA_WRITE, 0, Arrays.copyOf(payload, bytes));
        return client.closedCount;
    }

    @Test
    void aSecondReplyEndsTheSession() {
        start();

        client.reply(0, DMA_READ, 0, new byte[16]);

        assertEquals(1, client.closedCount);
    }

    @Test
    void aClientThatDoesNotReplyIsDisconnected() {
        start();
        client.loop.now = 5_000_000_000L;
        kick();

        client.loop.runDeadline(timer());
        int closedBefore = client.closedCount;
        client.loop.runDeadline(timer());

        assertEquals(0, closedBefore);
        assertEquals(1, client.closedCount);
        assertEquals(5_000_000_000L + ServerDmaCommands.MAX_UNANSWERED_NANOS, client.loop.now);
    }

    private EventHandler timer() {
        return client.loop.deadlines.keySet().stream()
                .filter(ServerDmaCommands.class::isInstance)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aClientThatRepliesIsNotDisconnected() {
        start();
        kick();
        client.loop.now += ServerDmaCommands.MAX_UNANSWERED_NANOS - 1;
        execute();
        kick();
        client.loop.now += ServerDmaCommands.MAX_UNANSWERED_NANOS - 1;

        client.loop.runDeadline(timer());

        assertEquals(0, client.closedCount);
    }
}
