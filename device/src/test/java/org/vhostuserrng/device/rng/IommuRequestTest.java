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
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * A device behind an IOMMU (VIRTIO_F_ACCESS_PLATFORM): addresses of the driver go through translations, which may be
 * scattered, missing or refuse; whatever the format of the virtqueue.
 */
class IommuRequestTest {
    /** An I/O virtual address that is no guest-physical one. */
    private static final long IOVA = 0x7000_0000_0000L;

    private static final long PAGE = RngTestGuest.PAGE;
    private static final int READ = Iotlb.READ;
    private static final int WRITE = Iotlb.WRITE;

    private static RngTestGuest<?> guest(boolean packed) {
        return guest(packed, 8);
    }

    private static RngTestGuest<?> guest(boolean packed, int size) {
        return RngTestGuest.of(packed, size, VirtioSpec.VIRTIO_F_INDIRECT_DESC).behindIommu();
    }

    private static void assertServed(RngTestGuest<?> guest, int length) {
        assertTrue(guest.driver.popUsed());
        assertEquals(length, guest.driver.usedLength());
    }

    private static void assertMissing(RngTestGuest<?> guest, long outcome, long iova, int access) {
        assertEquals(VirtqueueHandler.MISSING, outcome);
        assertEquals(iova, guest.memory().refusedAddress());
        assertEquals(access, guest.memory().refusedAccess());
        assertFalse(guest.memory().isDenied());
        assertFalse(guest.driver.hasUsed());
    }

    private static void assertDenied(RngTestGuest<?> guest, VirtqueueHandler queue, long iova) {
        assertEquals(VirtqueueHandler.BROKEN, queue.drain());
        assertTrue(guest.memory().isDenied());
        assertEquals(iova, guest.memory().refusedAddress());
        assertEquals(VirtqueueFault.ACCESS_DENIED.toString(), queue.fault());
        assertFalse(guest.driver.hasUsed());
    }

    /** Makes a buffer available whose indirect table is at an I/O virtual address, given where its bytes lie. */
    private static void offerIndirect(
            RngTestGuest<?> guest, MemorySegment table, long iova, DriverBufferElement... elements) {
        guest.driver.makeAvailable(guest.driver.addIndirectBuffer(table, iova, elements));
    }

    // --- buffers ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferIsFilledWhereItsTranslationLeads(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA + 100, 64);

        queue.drain();

        assertServed(guest, 64);
        assertArrayEquals(RngTestGuest.tagged(0, 64), guest.bytesAt(RngTestGuest.SEAM + 100, 64));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferAcrossScatteredPagesIsFilledInTheDriversOrder(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM + 5 * PAGE, WRITE);
        guest.map(IOVA + PAGE, RngTestGuest.BUFFERS, WRITE);
        guest.map(IOVA + 2 * PAGE, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA + 96, (int) (2 * PAGE));

        queue.drain();

        assertServed(guest, (int) (2 * PAGE));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(guest.bytesAt(RngTestGuest.SEAM + 5 * PAGE + 96, (int) PAGE - 96));
        bytes.writeBytes(guest.bytesAt(RngTestGuest.BUFFERS, (int) PAGE));
        bytes.writeBytes(guest.bytesAt(RngTestGuest.SEAM, 96));
        assertArrayEquals(RngTestGuest.tagged(0, (int) (2 * PAGE)), bytes.toByteArray());
        assertEquals(0, guest.byteAt(RngTestGuest.SEAM + 96));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferThatLacksATranslationWaitsForIt(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 32);
        guest.offer(IOVA + 7, 64);

        long outcome = queue.drain();
        assertServed(guest, 32);
        assertMissing(guest, outcome, IOVA + 7, WRITE);
        guest.map(IOVA, RngTestGuest.SEAM, WRITE);

        assertEquals(VirtqueueHandler.IDLE, queue.drain());
        assertServed(guest, 64);
        assertArrayEquals(RngTestGuest.tagged(32, 64), guest.bytesAt(RngTestGuest.SEAM + 7, 64));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingIsWrittenWhileAPartOfTheBufferLacksATranslation(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA + PAGE - 10, 20);

        assertMissing(guest, queue.drain(), IOVA + PAGE, WRITE);

        assertEquals(0, guest.source.given);
        assertEquals(0, guest.byteAt(RngTestGuest.SEAM + PAGE - 10));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestThatWaitsForATranslationIsNotLostWhenTheRingIsStopped(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA, 64);
        assertMissing(guest, queue.drain(), IOVA, WRITE);

        VirtqueueHandler next = guest.start(queue.stop());
        guest.map(IOVA, RngTestGuest.SEAM, WRITE);
        next.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void translationThatWasTakenBackIsNotUsedAgain(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA, 64);
        queue.drain();
        assertServed(guest, 64);

        guest.unmap(IOVA);
        guest.offer(IOVA, 64);

        assertMissing(guest, queue.drain(), IOVA, WRITE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferThatTheDeviceMayOnlyReadBreaksTheRing(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM, READ);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA + 4, 64);

        assertDenied(guest, queue, IOVA + 4);

        assertEquals(0, guest.byteAt(RngTestGuest.SEAM + 4));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void guestPhysicalAddressIsNoAddressOfTheDriver(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.unmap(RngTestGuest.SEAM);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.SEAM, 64);

        assertMissing(guest, queue.drain(), RngTestGuest.SEAM, WRITE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferOf4GibNeedsTranslationsOnlyOfWhatIsWritten(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.iotlb.map(IOVA, IOVA + ScatterGatherList.MOST_BYTES - 1, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(IOVA, -1);

        queue.drain();

        assertServed(guest, ScatterGatherList.MOST_BYTES);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferBeyond2To64BreaksTheRing(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.iotlb.map(-PAGE, -1, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(-8, 16);

        assertEquals(VirtqueueHandler.BROKEN, queue.drain());
        assertEquals(VirtqueueFault.BUFFER_RANGE.toString(), queue.fault());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferAtTheLastAddressIsFilled(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.iotlb.map(-PAGE, -1, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        guest.offer(-8, 8);

        queue.drain();

        assertServed(guest, 8);
        assertArrayEquals(RngTestGuest.tagged(0, 8), guest.bytesAt(RngTestGuest.SEAM + PAGE - 8, 8));
    }

    // --- indirect tables -------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableThatLacksATranslationIsWaitedFor(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        offerIndirect(guest, guest.second, IOVA, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertMissing(guest, queue.drain(), IOVA, READ);
        guest.map(IOVA, RngTestGuest.SEAM, READ);
        queue.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableThatTheDeviceMayNotReadBreaksTheRing(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM, WRITE);
        VirtqueueHandler queue = guest.start();
        offerIndirect(guest, guest.second, IOVA, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertDenied(guest, queue, IOVA);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableAcrossScatteredPagesIsFollowed(boolean packed) {
        // With a start that is no multiple of 16, a descriptor lies across the two pages.
        for (int offset : new int[] {(int) PAGE - 32, (int) PAGE - 24, (int) PAGE - 1}) {
            RngTestGuest<?> guest = guest(packed);
            guest.map(IOVA, RngTestGuest.SEAM + 8 * PAGE, READ);
            guest.map(IOVA + PAGE, RngTestGuest.SEAM, READ);
            MemorySegment table = Arena.ofAuto().allocate(64);
            DriverBufferElement[] elements = IntStream.range(0, 4)
                    .mapToObj(i -> DriverBufferElement.writable(RngTestGuest.BUFFERS + 100L * i, 10 + i))
                    .toArray(DriverBufferElement[]::new);
            VirtqueueHandler queue = guest.start();
            offerIndirect(guest, table, IOVA + offset, elements);
            int inFirst = (int) PAGE - offset;
            MemorySegment.copy(table, 0, guest.second, 8 * PAGE + offset, inFirst);
            MemorySegment.copy(table, inFirst, guest.second, 0, 64 - inFirst);

            queue.drain();

            assertServed(guest, 46);
            assertArrayEquals(RngTestGuest.tagged(33, 13), guest.bytesAt(RngTestGuest.BUFFERS + 300, 13));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void descriptorOfATableWhoseSecondHalfLacksATranslationIsWaitedFor(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.map(IOVA, RngTestGuest.SEAM, READ);
        MemorySegment table = guest.second.asSlice(PAGE - 8, 16);
        VirtqueueHandler queue = guest.start();
        offerIndirect(guest, table, IOVA + PAGE - 8, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertMissing(guest, queue.drain(), IOVA + PAGE, READ);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableBeyond2To64BreaksTheRing(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        offerIndirect(
                guest,
                guest.second,
                -16,
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 64),
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));

        assertEquals(VirtqueueHandler.BROKEN, queue.drain());
        assertEquals(VirtqueueFault.INDIRECT_RANGE.toString(), queue.fault());
    }

    // --- the virtqueue itself --------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringOfSeveralPagesIsServedIfTheyLieInOnePiece(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringWhosePagesAreScatteredIsRefused(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        guest.map(RngTestGuest.BASE + PAGE, RngTestGuest.SEAM, READ | WRITE);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(guest.setup(guest.driver.vringBase())));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringThatLacksATranslationTellsWhichOne(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        guest.unmap(RngTestGuest.BASE + PAGE);

        assertThrows(IotlbMissException.class, () -> guest.device.start(guest.setup(guest.driver.vringBase())));

        assertEquals(RngTestGuest.BASE + PAGE, guest.memory().refusedAddress());
        assertEquals(packed ? READ | WRITE : READ, guest.memory().refusedAccess());
        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deviceAreaThatTheDeviceMayNotWriteIsRefused(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);
        long page = guest.layout().deviceArea() & -PAGE;
        guest.map(page, page, READ);

        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(guest.setup(guest.driver.vringBase())));

        assertTrue(guest.memory().isDenied());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void queueKnowsWhichAddressesItUses(boolean packed) {
        RngTestGuest<?> guest = guest(packed, 1024);

        guest.start();

        assertTrue(guest.memory().hasPartIn(RngTestGuest.BASE + 5, RngTestGuest.BASE + 5));
        assertTrue(guest.memory().hasPartIn(0, -1));
        assertTrue(guest.memory()
                .hasPartIn(guest.layout().deviceArea(), guest.layout().deviceArea()));
        assertFalse(guest.memory().hasPartIn(0, RngTestGuest.BASE - 1));
        assertFalse(guest.memory().hasPartIn(RngTestGuest.BUFFERS, -1));
    }
}
