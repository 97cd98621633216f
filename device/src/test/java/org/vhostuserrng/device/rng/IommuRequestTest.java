package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests a device behind an IOMMU (VIRTIO_F_ACCESS_PLATFORM), with split and packed virtqueues. The driver uses I/O
 * virtual addresses, whose translations may be scattered or missing, or may deny access.
 */
class IommuRequestTest {
    /** An I/O virtual address that is not a guest-physical address. */
    private static final long IOVA = 0x7000_0000_0000L;

    private static final long PAGE = RngTestGuest.PAGE;
    private static final int READ = Iotlb.READ;
    private static final int WRITE = Iotlb.WRITE;

    private static RngTestGuest<?> guest(boolean packed) {
        return guest(packed, 8);
    }

    private static RngTestGuest<?> guest(boolean packed, int size) {
        return RngTestGuest.of(packed, size, VirtioConstants.VIRTIO_F_INDIRECT_DESC)
                .behindIommu();
    }

    private static void assertServed(RngTestGuest<?> guest, int length) {
        assertTrue(guest.driver.popUsed());
        assertEquals(length, guest.driver.usedLength());
    }

    private static void assertIotlbMiss(RngTestGuest<?> guest, DrainResult result, long iova, int access) {
        assertEquals(DrainResult.IOTLB_MISS, result);
        assertEquals(iova, guest.memory().faultAddress());
        assertEquals(access, guest.memory().faultAccess());
        assertFalse(guest.memory().isDenied());
        assertFalse(guest.driver.hasUsed());
    }

    private static void assertDenied(RngTestGuest<?> guest, VirtqueueHandler queue, long iova) {
        assertEquals(DrainResult.BROKEN, queue.drain());
        assertTrue(guest.memory().isDenied());
        assertEquals(iova, guest.memory().faultAddress());
        assertEquals(VirtqueueFault.ACCESS_DENIED.toString(), queue.fault());
        assertFalse(guest.driver.hasUsed());
    }

    /**
     * Makes a buffer with an indirect table available.
     *
     * @param table the memory of the table
     * @param iova the I/O virtual address of the table
     */
    private static void makeIndirectAvailable(
            RngTestGuest<?> guest, MemorySegment table, long iova, DriverBufferElement... elements) {
        guest.driver.makeAvailable(guest.driver.addIndirectBuffer(table, iova, elements));
    }

    // Buffers

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fillsTheBufferAtItsTranslatedAddress(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA + 100, 64);

        queue.drain();

        assertServed(guest, 64);
        assertArrayEquals(RngTestGuest.sequence(0, 64), guest.bytesAt(RngTestGuest.SECOND_REGION + 100, 64));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fillsABufferOnScatteredPagesInOrder(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION + 5 * PAGE, WRITE);
        guest.map(IOVA + PAGE, RngTestGuest.BUFFERS, WRITE);
        guest.map(IOVA + 2 * PAGE, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA + 96, (int) (2 * PAGE));

        queue.drain();

        assertServed(guest, (int) (2 * PAGE));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(guest.bytesAt(RngTestGuest.SECOND_REGION + 5 * PAGE + 96, (int) PAGE - 96));
        bytes.writeBytes(guest.bytesAt(RngTestGuest.BUFFERS, (int) PAGE));
        bytes.writeBytes(guest.bytesAt(RngTestGuest.SECOND_REGION, 96));
        assertArrayEquals(RngTestGuest.sequence(0, (int) (2 * PAGE)), bytes.toByteArray());
        assertEquals(0, guest.byteAt(RngTestGuest.SECOND_REGION + 96));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leavesTheRequestAvailableUntilTheTranslationOfItsBufferArrives(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 32);
        guest.makeAvailable(IOVA + 7, 64);

        DrainResult result = queue.drain();
        assertServed(guest, 32);
        assertIotlbMiss(guest, result, IOVA + 7, WRITE);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, WRITE);

        assertEquals(DrainResult.EMPTY, queue.drain());
        assertServed(guest, 64);
        assertArrayEquals(RngTestGuest.sequence(32, 64), guest.bytesAt(RngTestGuest.SECOND_REGION + 7, 64));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void writesNothingWhileATranslationOfTheBufferIsMissing(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA + PAGE - 10, 20);

        assertIotlbMiss(guest, queue.drain(), IOVA + PAGE, WRITE);

        assertEquals(0, guest.source.written);
        assertEquals(0, guest.byteAt(RngTestGuest.SECOND_REGION + PAGE - 10));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leavesTheRequestAvailableWhenStoppedAfterAnIotlbMiss(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA, 64);
        assertIotlbMiss(guest, queue.drain(), IOVA, WRITE);

        VirtqueueHandler successor = guest.start(guest.stop(queue));
        guest.map(IOVA, RngTestGuest.SECOND_REGION, WRITE);
        successor.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void doesNotUseAnInvalidatedTranslation(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA, 64);
        queue.drain();
        assertServed(guest, 64);

        guest.unmap(IOVA);
        guest.makeAvailable(IOVA, 64);

        assertIotlbMiss(guest, queue.drain(), IOVA, WRITE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnABufferWithoutWriteAccess(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, READ);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA + 4, 64);

        assertDenied(guest, queue, IOVA + 4);

        assertEquals(0, guest.byteAt(RngTestGuest.SECOND_REGION + 4));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void doesNotAcceptAnUntranslatedGuestPhysicalAddress(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.unmap(RngTestGuest.SECOND_REGION);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.SECOND_REGION, 64);

        assertIotlbMiss(guest, queue.drain(), RngTestGuest.SECOND_REGION, WRITE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void translatesOnlyTheWrittenPartOfABuffer(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.iotlb.map(IOVA, IOVA + ScatterGatherList.MAX_BYTES - 1, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(IOVA, -1);

        queue.drain();

        assertServed(guest, ScatterGatherList.MAX_BYTES);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnABufferThatWrapsAroundTheAddressSpace(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.iotlb.map(-PAGE, -1, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(-8, 16);

        assertEquals(DrainResult.BROKEN, queue.drain());
        assertTrue(queue.fault().startsWith(VirtqueueFault.BUFFER_RANGE.toString()), queue.fault());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fillsABufferAtTheEndOfTheAddressSpace(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.iotlb.map(-PAGE, -1, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(-8, 8);

        queue.drain();

        assertServed(guest, 8);
        assertArrayEquals(RngTestGuest.sequence(0, 8), guest.bytesAt(RngTestGuest.SECOND_REGION + PAGE - 8, 8));
    }

    // Indirect tables

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leavesTheRequestAvailableUntilTheTranslationOfItsIndirectTableArrives(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        makeIndirectAvailable(guest, guest.secondRegion, IOVA, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertIotlbMiss(guest, queue.drain(), IOVA, READ);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, READ);
        queue.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnAnIndirectTableWithoutReadAccess(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, WRITE);
        VirtqueueHandler queue = guest.start();
        makeIndirectAvailable(guest, guest.secondRegion, IOVA, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertDenied(guest, queue, IOVA);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readsAnIndirectTableOnScatteredPages(boolean packed) {
        // If the table is not 16-byte aligned, one descriptor crosses the page boundary.
        for (int offset : new int[] {(int) PAGE - 32, (int) PAGE - 24, (int) PAGE - 1}) {
            RngTestGuest<?> guest = guest(packed);
            guest.map(IOVA, RngTestGuest.SECOND_REGION + 8 * PAGE, READ);
            guest.map(IOVA + PAGE, RngTestGuest.SECOND_REGION, READ);
            MemorySegment table = Arena.ofAuto().allocate(64);
            DriverBufferElement[] elements = IntStream.range(0, 4)
                    .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.BUFFERS + 100L * i, 10 + i))
                    .toArray(DriverBufferElement[]::new);
            VirtqueueHandler queue = guest.start();
            makeIndirectAvailable(guest, table, IOVA + offset, elements);
            int onFirstPage = (int) PAGE - offset;
            MemorySegment.copy(table, 0, guest.secondRegion, 8 * PAGE + offset, onFirstPage);
            MemorySegment.copy(table, onFirstPage, guest.secondRegion, 0, 64 - onFirstPage);

            queue.drain();

            assertServed(guest, 46);
            assertArrayEquals(RngTestGuest.sequence(33, 13), guest.bytesAt(RngTestGuest.BUFFERS + 300, 13));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void reportsTheMissingTranslationOfTheSecondHalfOfADescriptor(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SECOND_REGION, READ);
        MemorySegment table = guest.secondRegion.asSlice(PAGE - 8, 16);
        VirtqueueHandler queue = guest.start();
        makeIndirectAvailable(guest, table, IOVA + PAGE - 8, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertIotlbMiss(guest, queue.drain(), IOVA + PAGE, READ);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnAnIndirectTableThatWrapsAroundTheAddressSpace(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        makeIndirectAvailable(
                guest,
                guest.secondRegion,
                -16,
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 64),
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertEquals(DrainResult.BROKEN, queue.drain());
        assertTrue(queue.fault().startsWith(VirtqueueFault.INDIRECT_RANGE.toString()), queue.fault());
    }

    // Areas of the virtqueue

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void servesARingOnContiguousPages(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rejectsARingOnScatteredPages(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        guest.map(RngTestGuest.FIRST_REGION + PAGE, RngTestGuest.SECOND_REGION, READ | WRITE);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(guest.config(guest.driver.vringBase())));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void reportsTheMissingTranslationOfARing(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        guest.unmap(RngTestGuest.FIRST_REGION + PAGE);

        assertThrows(MemoryNotReadyException.class, () -> guest.device.start(guest.config(guest.driver.vringBase())));

        assertEquals(RngTestGuest.FIRST_REGION + PAGE, guest.memory().faultAddress());
        assertEquals(packed ? READ | WRITE : READ, guest.memory().faultAccess());
        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rejectsADeviceAreaWithoutWriteAccess(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        long page = guest.layout().deviceArea() & -PAGE;
        guest.map(page, page, READ);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(guest.config(guest.driver.vringBase())));

        assertTrue(guest.memory().isDenied());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void recordsTheAddressesOfItsAreas(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);

        guest.start();

        assertTrue(guest.memory().hasAreaIn(RngTestGuest.FIRST_REGION + 5, RngTestGuest.FIRST_REGION + 5));
        assertTrue(guest.memory().hasAreaIn(0, -1));
        assertTrue(guest.memory()
                .hasAreaIn(guest.layout().deviceArea(), guest.layout().deviceArea()));
        assertFalse(guest.memory().hasAreaIn(0, RngTestGuest.FIRST_REGION - 1));
        assertFalse(guest.memory().hasAreaIn(RngTestGuest.BUFFERS, -1));
    }
}
