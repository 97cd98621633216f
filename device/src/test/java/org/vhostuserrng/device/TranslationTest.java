package org.vhostuserrng.device;

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
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.Iotlb;
import org.vhostuserrng.transport.MissingTranslationException;

/**
 * A device behind an IOMMU (VIRTIO_F_ACCESS_PLATFORM): addresses of the driver go through translations, which may be
 * scattered, missing or refuse; whatever the format of the virtqueue.
 */
class TranslationTest {
    /** An I/O virtual address that is no guest-physical one. */
    private static final long IOVA = 0x7000_0000_0000L;

    private static final long PAGE = Guest.PAGE;
    private static final int READ = Iotlb.READ;
    private static final int WRITE = Iotlb.WRITE;

    private static Guest<?> guest(boolean packed) {
        return guest(packed, 8);
    }

    private static Guest<?> guest(boolean packed, int size) {
        return Guest.of(packed, size, Virtio.VIRTIO_F_INDIRECT_DESC).behindIommu();
    }

    private static void assertServed(Guest<?> guest, int length) {
        assertTrue(guest.driver.takeUsed());
        assertEquals(length, guest.driver.usedLength());
    }

    private static void assertMissing(Guest<?> guest, long outcome, long iova, int access) {
        assertEquals(DeviceQueue.MISSING, outcome);
        assertEquals(iova, guest.memory().refusedAddress());
        assertEquals(access, guest.memory().refusedAccess());
        assertFalse(guest.memory().isDenied());
        assertFalse(guest.driver.usedPending());
    }

    private static void assertDenied(Guest<?> guest, DeviceQueue queue, long iova) {
        assertEquals(DeviceQueue.BROKEN, queue.drain());
        assertTrue(guest.memory().isDenied());
        assertEquals(iova, guest.memory().refusedAddress());
        assertEquals(RingFault.ACCESS_DENIED.toString(), queue.fault());
        assertFalse(guest.driver.usedPending());
    }

    /** Makes a buffer available whose indirect table is at an I/O virtual address, given where its bytes lie. */
    private static void offerIndirect(Guest<?> guest, MemorySegment table, long iova, BufferElement... elements) {
        guest.driver.makeAvailable(guest.driver.addIndirect(table, iova, elements));
    }

    // --- buffers ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferIsFilledWhereItsTranslationLeads(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        guest.offer(IOVA + 100, 64);

        queue.drain();

        assertServed(guest, 64);
        assertArrayEquals(Guest.tagged(0, 64), guest.bytesAt(Guest.SEAM + 100, 64));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferAcrossScatteredPagesIsFilledInTheDriversOrder(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM + 5 * PAGE, WRITE);
        guest.map(IOVA + PAGE, Guest.BUFFERS, WRITE);
        guest.map(IOVA + 2 * PAGE, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        guest.offer(IOVA + 96, (int) (2 * PAGE));

        queue.drain();

        assertServed(guest, (int) (2 * PAGE));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(guest.bytesAt(Guest.SEAM + 5 * PAGE + 96, (int) PAGE - 96));
        bytes.writeBytes(guest.bytesAt(Guest.BUFFERS, (int) PAGE));
        bytes.writeBytes(guest.bytesAt(Guest.SEAM, 96));
        assertArrayEquals(Guest.tagged(0, (int) (2 * PAGE)), bytes.toByteArray());
        assertEquals(0, guest.byteAt(Guest.SEAM + 96));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferThatLacksATranslationWaitsForIt(boolean packed) {
        Guest<?> guest = guest(packed);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 32);
        guest.offer(IOVA + 7, 64);

        long outcome = queue.drain();
        assertServed(guest, 32);
        assertMissing(guest, outcome, IOVA + 7, WRITE);
        guest.map(IOVA, Guest.SEAM, WRITE);

        assertEquals(DeviceQueue.IDLE, queue.drain());
        assertServed(guest, 64);
        assertArrayEquals(Guest.tagged(32, 64), guest.bytesAt(Guest.SEAM + 7, 64));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingIsWrittenWhileAPartOfTheBufferLacksATranslation(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        guest.offer(IOVA + PAGE - 10, 20);

        assertMissing(guest, queue.drain(), IOVA + PAGE, WRITE);

        assertEquals(0, guest.source.given);
        assertEquals(0, guest.byteAt(Guest.SEAM + PAGE - 10));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestThatWaitsForATranslationIsNotLostWhenTheRingIsStopped(boolean packed) {
        Guest<?> guest = guest(packed);
        DeviceQueue queue = guest.start();
        guest.offer(IOVA, 64);
        assertMissing(guest, queue.drain(), IOVA, WRITE);

        DeviceQueue next = guest.start(queue.stop());
        guest.map(IOVA, Guest.SEAM, WRITE);
        next.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void translationThatWasTakenBackIsNotUsedAgain(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
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
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM, READ);
        DeviceQueue queue = guest.start();
        guest.offer(IOVA + 4, 64);

        assertDenied(guest, queue, IOVA + 4);

        assertEquals(0, guest.byteAt(Guest.SEAM + 4));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void guestPhysicalAddressIsNoAddressOfTheDriver(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.unmap(Guest.SEAM);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.SEAM, 64);

        assertMissing(guest, queue.drain(), Guest.SEAM, WRITE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferOf4GibNeedsTranslationsOnlyOfWhatIsWritten(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.iotlb.map(IOVA, IOVA + BufferChain.MOST_BYTES - 1, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        guest.offer(IOVA, -1);

        queue.drain();

        assertServed(guest, BufferChain.MOST_BYTES);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferBeyond2To64BreaksTheRing(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.iotlb.map(-PAGE, -1, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        guest.offer(-8, 16);

        assertEquals(DeviceQueue.BROKEN, queue.drain());
        assertEquals(RingFault.BUFFER_RANGE.toString(), queue.fault());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferAtTheLastAddressIsFilled(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.iotlb.map(-PAGE, -1, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        guest.offer(-8, 8);

        queue.drain();

        assertServed(guest, 8);
        assertArrayEquals(Guest.tagged(0, 8), guest.bytesAt(Guest.SEAM + PAGE - 8, 8));
    }

    // --- indirect tables -------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableThatLacksATranslationIsWaitedFor(boolean packed) {
        Guest<?> guest = guest(packed);
        DeviceQueue queue = guest.start();
        offerIndirect(guest, guest.second, IOVA, BufferElement.writable(Guest.BUFFERS, 64));

        assertMissing(guest, queue.drain(), IOVA, READ);
        guest.map(IOVA, Guest.SEAM, READ);
        queue.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableThatTheDeviceMayNotReadBreaksTheRing(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM, WRITE);
        DeviceQueue queue = guest.start();
        offerIndirect(guest, guest.second, IOVA, BufferElement.writable(Guest.BUFFERS, 64));

        assertDenied(guest, queue, IOVA);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableAcrossScatteredPagesIsFollowed(boolean packed) {
        // With a start that is no multiple of 16, a descriptor lies across the two pages.
        for (int offset : new int[] {(int) PAGE - 32, (int) PAGE - 24, (int) PAGE - 1}) {
            Guest<?> guest = guest(packed);
            guest.map(IOVA, Guest.SEAM + 8 * PAGE, READ);
            guest.map(IOVA + PAGE, Guest.SEAM, READ);
            MemorySegment table = Arena.ofAuto().allocate(64);
            BufferElement[] elements = IntStream.range(0, 4)
                    .mapToObj(i -> BufferElement.writable(Guest.BUFFERS + 100L * i, 10 + i))
                    .toArray(BufferElement[]::new);
            DeviceQueue queue = guest.start();
            offerIndirect(guest, table, IOVA + offset, elements);
            int inFirst = (int) PAGE - offset;
            MemorySegment.copy(table, 0, guest.second, 8 * PAGE + offset, inFirst);
            MemorySegment.copy(table, inFirst, guest.second, 0, 64 - inFirst);

            queue.drain();

            assertServed(guest, 46);
            assertArrayEquals(Guest.tagged(33, 13), guest.bytesAt(Guest.BUFFERS + 300, 13));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void descriptorOfATableWhoseSecondHalfLacksATranslationIsWaitedFor(boolean packed) {
        Guest<?> guest = guest(packed);
        guest.map(IOVA, Guest.SEAM, READ);
        MemorySegment table = guest.second.asSlice(PAGE - 8, 16);
        DeviceQueue queue = guest.start();
        offerIndirect(guest, table, IOVA + PAGE - 8, BufferElement.writable(Guest.BUFFERS, 64));

        assertMissing(guest, queue.drain(), IOVA + PAGE, READ);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableBeyond2To64BreaksTheRing(boolean packed) {
        Guest<?> guest = guest(packed);
        DeviceQueue queue = guest.start();
        offerIndirect(
                guest,
                guest.second,
                -16,
                BufferElement.writable(Guest.BUFFERS, 64),
                BufferElement.writable(Guest.BUFFERS, 64));

        assertEquals(DeviceQueue.BROKEN, queue.drain());
        assertEquals(RingFault.INDIRECT_RANGE.toString(), queue.fault());
    }

    // --- the virtqueue itself --------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringOfSeveralPagesIsServedIfTheyLieInOnePiece(boolean packed) {
        Guest<?> guest = guest(packed, 1024);
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        assertServed(guest, 64);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringWhosePagesAreScatteredIsRefused(boolean packed) {
        Guest<?> guest = guest(packed, 1024);
        guest.map(Guest.BASE + PAGE, Guest.SEAM, READ | WRITE);

        assertThrows(InvalidQueueException.class, () -> guest.device.start(guest.setup(guest.driver.base())));

        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringThatLacksATranslationTellsWhichOne(boolean packed) {
        Guest<?> guest = guest(packed, 1024);
        guest.unmap(Guest.BASE + PAGE);

        assertThrows(MissingTranslationException.class, () -> guest.device.start(guest.setup(guest.driver.base())));

        assertEquals(Guest.BASE + PAGE, guest.memory().refusedAddress());
        assertEquals(packed ? READ | WRITE : READ, guest.memory().refusedAccess());
        assertFalse(guest.source.open);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deviceAreaThatTheDeviceMayNotWriteIsRefused(boolean packed) {
        Guest<?> guest = guest(packed, 1024);
        long page = guest.layout().deviceArea() & -PAGE;
        guest.map(page, page, READ);

        assertThrows(InvalidQueueException.class, () -> guest.device.start(guest.setup(guest.driver.base())));

        assertTrue(guest.memory().isDenied());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void queueKnowsWhichAddressesItUses(boolean packed) {
        Guest<?> guest = guest(packed, 1024);

        guest.start();

        assertTrue(guest.memory().hasPartIn(Guest.BASE + 5, Guest.BASE + 5));
        assertTrue(guest.memory().hasPartIn(0, -1));
        assertTrue(guest.memory()
                .hasPartIn(guest.layout().deviceArea(), guest.layout().deviceArea()));
        assertFalse(guest.memory().hasPartIn(0, Guest.BASE - 1));
        assertFalse(guest.memory().hasPartIn(Guest.BUFFERS, -1));
    }
}
