package org.vhostuserrng.transport.vfiouser.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DMA_MAP;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.DMA_UNMAP;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.READ_WRITE;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.map;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.unmap;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.write;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.transport.pci.FakePciFunction;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** DMA regions, and virtqueues in them. */
@Timeout(120)
class VfioUserMemoryTest {
    private static final int EINVAL = 22;
    private static final int EEXIST = 17;
    private static final int ENOENT = 2;
    private static final int ENOMEM = 12;
    private static final int ENOSPC = 28;
    private static final int ENOTSUP = 95;
    private static final long SIZE = 0x10000;
    private static final byte[] START = write(FakePciFunction.BAR4, FakePciFunction.START_OFFSET, (byte) 15);
    private static final byte[] NOTIFY = write(FakePciFunction.BAR4, FakePciFunction.NOTIFY_OFFSET, (byte) 0, (byte) 0);

    @TempDir
    private Path directory;

    private SteppedVfioUserClient client;

    @BeforeEach
    void connect() throws IOException {
        client = new SteppedVfioUserClient(directory).negotiate();
        client.device.mapsDescriptorArea = true;
    }

    @AfterEach
    void close() {
        client.close();
    }

    private FakeVirtqueue lastStarted() {
        return client.device.started.getLast();
    }

    private int unmapped(long address, long size) {
        return client.command(DMA_UNMAP, unmap(address, size)).errno();
    }

    // --- regions ---------------------------------------------------------------------------------------------------

    @Test
    void mapsAndUnmapsARegion() throws IOException {
        int mapped = client.mapMemory(0, SIZE).errno();

        assertEquals(0, mapped);
        assertArrayEquals(
                unmap(0, SIZE), client.command(DMA_UNMAP, unmap(0, SIZE)).payload());
    }

    @Test
    void mapsARegionAgainAfterItWasUnmapped() throws IOException {
        client.mapMemory(0, SIZE);
        client.command(DMA_UNMAP, unmap(0, SIZE));

        assertEquals(0, client.mapMemory(0, SIZE).errno());
    }

    @Test
    void recordsARegionWithoutADescriptor() {
        int mapped = client.command(DMA_MAP, map(1, 0, 0xfffc0000L, 0x40000)).errno();

        assertEquals(0, mapped);
        assertEquals(0, unmapped(0xfffc0000L, 0x40000));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, 0, 0x1000",
        "4, 0, 0, 0x1000",
        "7, 0, 0, 0x1000",
        "3, 0, 0, 0",
        "3, 0, 0, -4096",
        "3, 0, 0, 0x800",
        "3, 0, 0x800, 0x1000",
        "3, 1, 0, 0x1000",
        "3, -4096, 0, 0x1000",
        "3, 0, -4096, 0x2000",
        "3, 0, 0x8000000000000000, 0x9000000000000000",
    })
    void refusesAnInvalidRegion(int flags, String offset, String address, String size) throws IOException {
        byte[] payload = map(flags, number(offset), number(address), number(size));

        int shared = client.command(DMA_MAP, payload, SealedMemfd.create("memory", 0x2000))
                .errno();
        int notShared = client.command(DMA_MAP, payload).errno();

        assertEquals(EINVAL, shared);
        assertEquals(EINVAL, notShared);
    }

    private static long number(String text) {
        return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseLong(text);
    }

    @Test
    void acceptsTheLastPageOfTheAddressSpace() throws IOException {
        assertEquals(0, client.mapMemory(-4096, 4096).errno());
    }

    @ParameterizedTest
    @CsvSource({"0x10000, 0x10000", "0x1f000, 0x1000", "0xf000, 0x2000", "0x1f000, 0x2000", "0, 0x100000"})
    void refusesARegionThatOverlapsAnotherOne(String address, String size) throws IOException {
        client.mapMemory(0x10000, SIZE);

        assertEquals(EEXIST, client.mapMemory(number(address), number(size)).errno());
    }

    @ParameterizedTest
    @CsvSource({"0xf000, 0x1000", "0x20000, 0x1000"})
    void acceptsARegionBesideAnotherOne(String address, String size) throws IOException {
        client.mapMemory(0x10000, SIZE);

        assertEquals(0, client.mapMemory(number(address), number(size)).errno());
    }

    @ParameterizedTest
    @CsvSource({"0, 0x8000", "0x8000, 0x8000", "0, 0x20000", "0x100000, 0x1000", "0, 0"})
    void refusesToUnmapWhatIsNoRegion(String address, String size) throws IOException {
        client.mapMemory(0, SIZE);

        assertEquals(ENOENT, unmapped(number(address), number(size)));
        assertEquals(0, unmapped(0, SIZE));
    }

    @Test
    void refusesToUnmapWithFlags() throws IOException {
        client.mapMemory(0, SIZE);
        byte[] payload = unmap(0, SIZE);
        payload[4] = 2;

        assertEquals(ENOTSUP, client.command(DMA_UNMAP, payload).errno());
    }

    @Test
    void aFileThatIsTooShortIsNotAccessible() throws IOException {
        int mapped = client.command(DMA_MAP, map(READ_WRITE, 0, 0, SIZE), SealedMemfd.create("memory", 0x1000))
                .errno();
        client.command(SteppedVfioUserClient.REGION_WRITE, START);

        assertEquals(0, mapped);
        assertEquals(List.of(), client.device.started);
    }

    @Test
    void aDescriptorThatIsNoFileIsNotAccessible() throws IOException {
        int mapped = client.command(
                        DMA_MAP, map(READ_WRITE, 0, 0, SIZE), EventFd.create().fd())
                .errno();

        assertEquals(0, mapped);
        assertEquals(0, client.closedCount);
    }

    @Test
    void limitsTheNumberOfRegions() throws IOException {
        client.close();
        VhostUserOptions options = new VhostUserOptions(false, false, 1 << 20, 2, Set.of(), false, 0);
        client = new SteppedVfioUserClient(directory, options).negotiate();
        client.mapMemory(0, 0x1000);
        client.command(DMA_MAP, map(1, 0, 0x1000, 0x1000));

        assertEquals(ENOSPC, client.mapMemory(0x2000, 0x1000).errno());
    }

    @Test
    void limitsTheMappedMemory() throws IOException {
        client.close();
        VhostUserOptions options = new VhostUserOptions(false, false, 0x2000, 9, Set.of(), false, 0);
        client = new SteppedVfioUserClient(directory, options).negotiate();
        client.mapMemory(0, 0x1000);

        assertEquals(ENOMEM, client.mapMemory(0x10000, 0x2000).errno());
        assertEquals(0, client.mapMemory(0x20000, 0x1000).errno());
    }

    @Test
    void readsNoFurtherMessageWhileAFileIsPrepared() throws IOException {
        client.send(DMA_MAP, 0, map(READ_WRITE, 0, 0, SIZE), SealedMemfd.create("memory", SIZE));
        client.send(SteppedVfioUserClient.RESET, 0, new byte[0], null);

        client.loop.fire(client.session);
        client.loop.fire(client.session);
        boolean watchedMeanwhile = client.loop.watched.containsKey(client.session);
        int resetsMeanwhile = client.function.resets;
        client.runPeerFiles();
        client.loop.runRescheduled();
        client.dispatch();

        assertFalse(watchedMeanwhile);
        assertEquals(0, resetsMeanwhile);
        assertEquals(1, client.function.resets);
    }

    @Test
    void closesWhileAFileIsPrepared() throws IOException {
        client.send(DMA_MAP, 0, map(READ_WRITE, 0, 0, SIZE), SealedMemfd.create("memory", SIZE));
        client.loop.fire(client.session);

        client.session.close();
        client.runPeerFiles();

        assertTrue(client.isEnded());
    }

    // --- virtqueues ------------------------------------------------------------------------------------------------

    private FakeVirtqueue startVirtqueue() throws IOException {
        client.mapMemory(0, SIZE);
        client.command(SteppedVfioUserClient.REGION_WRITE, START);
        return lastStarted();
    }

    @Test
    void startsAVirtqueue() throws IOException {
        FakeVirtqueue queue = startVirtqueue();

        assertEquals(8, queue.config.size());
        assertEquals(1, queue.drains);
    }

    @Test
    void aPostedNotificationDrainsTheVirtqueueInTheSameDispatch() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        client.send(SteppedVfioUserClient.REGION_WRITE, SteppedVfioUserClient.NO_REPLY, NOTIFY, null);

        client.loop.fire(client.session);

        assertEquals(2, queue.drains);
        assertEquals(List.of(), client.loop.rescheduled);
    }

    @Test
    void usedBuffersAreReportedToTheFunction() throws IOException {
        FakeVirtqueue queue = startVirtqueue();

        queue.config.notifier().signal();

        assertEquals(1, client.function.notifications);
    }

    @Test
    void suspendsAndResumesAVirtqueueWhenMemoryChanges() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        queue.position = new VirtqueuePosition(5, 5);

        client.mapMemory(0x100000, SIZE);

        assertTrue(queue.stopped);
        assertEquals(new VirtqueuePosition(5, 5), lastStarted().config.position());
        assertEquals(2, client.device.started.size());
    }

    @Test
    void aVirtqueueWaitsUntilItsMemoryIsMappedAgain() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        queue.position = new VirtqueuePosition(5, 5);

        client.command(DMA_UNMAP, unmap(0, SIZE));
        int startedWithout = client.device.started.size();
        client.mapMemory(0, SIZE);

        assertTrue(queue.stopped);
        assertEquals(1, startedWithout);
        assertEquals(new VirtqueuePosition(5, 5), lastStarted().config.position());
        assertEquals(List.of(), client.function.broken);
    }

    @Test
    void aNotificationBreaksAVirtqueueThatIsNotMapped() throws IOException {
        startVirtqueue();
        client.command(DMA_UNMAP, unmap(0, SIZE));

        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);
        client.mapMemory(0, SIZE);

        assertEquals(List.of(0), client.function.broken);
        assertEquals(1, client.device.started.size());
    }

    @Test
    void aVirtqueueInReadOnlyMemoryWithoutADescriptorBreaks() {
        client.command(DMA_MAP, map(1, 0, 0, SIZE));
        client.command(SteppedVfioUserClient.REGION_WRITE, START);

        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        assertEquals(List.of(0), client.function.broken);
    }

    @Test
    void aVirtqueueInReadOnlyMemoryBreaks() throws IOException {
        client.command(DMA_MAP, map(1, 0, 0, SIZE), SealedMemfd.create("memory", SIZE));
        client.command(SteppedVfioUserClient.REGION_WRITE, START);

        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        assertEquals(List.of(0), client.function.broken);
    }

    @Test
    void anotherStartRepairsABrokenVirtqueue() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        queue.result = DrainResult.BROKEN;
        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        client.command(SteppedVfioUserClient.REGION_WRITE, START);

        assertEquals(List.of(0), client.function.broken);
        assertEquals(2, client.device.started.size());
    }

    @Test
    void aVirtqueueWhoseMemoryVanishesBreaks() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        queue.memoryVanished = true;

        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        assertEquals(List.of(0), client.function.broken);
        assertEquals(0, client.closedCount);
    }

    @Test
    void aResetStopsTheVirtqueue() throws IOException {
        FakeVirtqueue queue = startVirtqueue();

        client.command(SteppedVfioUserClient.RESET, new byte[0]);
        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        assertTrue(queue.stopped);
        assertEquals(1, queue.drains);
        assertEquals(List.of(), client.function.broken);
    }

    @Test
    void aVirtqueueIsSuspendedWhileTheFunctionIsNoBusMaster() throws IOException {
        FakeVirtqueue queue = startVirtqueue();

        client.function.host.setBusMaster(false);
        boolean stopped = queue.stopped;
        client.function.host.setBusMaster(true);

        assertTrue(stopped);
        assertEquals(2, client.device.started.size());
    }

    @Test
    void theEndOfTheSessionStopsTheVirtqueue() throws IOException {
        FakeVirtqueue queue = startVirtqueue();

        client.session.close();

        assertTrue(queue.stopped);
        assertNull(client.loop.deadlines.get(client.session));
    }

    @Test
    void aStarvedVirtqueueIsParked() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        queue.result = DrainResult.STARVED;

        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        assertEquals(1, client.loop.parked.size());
    }

    @Test
    void aThrottledVirtqueueIsDrainedAgainAtItsDeadline() throws IOException {
        FakeVirtqueue queue = startVirtqueue();
        queue.result = DrainResult.THROTTLED;
        queue.retryAt = 777;

        client.post(SteppedVfioUserClient.REGION_WRITE, NOTIFY);

        assertTrue(client.loop.deadlines.containsValue(777L));
    }

    @Test
    void looksForRequestsWhenTheDeviceCanServeMore() throws IOException {
        FakeVirtqueue queue = startVirtqueue();

        client.session.dispatchVrings();
        client.loop.runRescheduled();

        assertEquals(2, queue.drains);
    }
}
