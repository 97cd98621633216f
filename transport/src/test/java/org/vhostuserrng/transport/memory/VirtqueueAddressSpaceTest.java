package org.vhostuserrng.transport.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VirtqueueAddressSpaceTest {
    private static final long PAGE = 4096;
    private static final long GUEST = 16 * PAGE;
    private static final long IOVA = 0x7000_0000L;
    private static final int RW = Iotlb.READ | Iotlb.WRITE;

    private final MemorySegment bytes = Arena.ofAuto().allocate(8 * PAGE);
    private final GuestMemory memory = GuestMemory.of(List.of(new GuestMemory.Region(GUEST, bytes, false)));
    private final Iotlb iotlb = new Iotlb();
    private final VirtqueueAddressSpace physical = VirtqueueAddressSpace.physical(memory);
    private final VirtqueueAddressSpace translated = VirtqueueAddressSpace.translated(memory, iotlb);

    /** Maps a page of I/O virtual addresses to a page of guest memory. */
    private void map(long iova, long guestAddress, int access) {
        iotlb.map(iova, iova + PAGE - 1, guestAddress, access);
    }

    private static void assertSameBytes(MemorySegment expected, MemorySegment actual) {
        assertEquals(expected.address(), actual.address());
        assertEquals(expected.byteSize(), actual.byteSize());
    }

    // --- guest-physical addresses ----------------------------------------------------------------------------------

    @Test
    void physicalAddressesNeedNoTranslation() {
        assertFalse(physical.isTranslated());
        assertSame(memory, physical.guest());
        assertEquals(GUEST + 5, physical.guestAddress(GUEST + 5));
    }

    @Test
    void mapsAnAreaOfPhysicalAddresses() throws MemoryNotReadyException {
        assertSameBytes(bytes.asSlice(PAGE, 100), physical.mapArea(GUEST + PAGE, 100, RW));
        assertNull(physical.mapArea(GUEST + 8 * PAGE - 99, 100, RW));
    }

    // --- copies ----------------------------------------------------------------------------------------------------

    private final GuestMemory mixed = GuestMemory.of(List.of(
            new GuestMemory.Region(GUEST, bytes, false),
            GuestMemory.Region.copy(GUEST + 8 * PAGE, Arena.ofAuto().allocate(8 * PAGE))));

    @Test
    void aVirtqueueWithoutCopiesDoesNotAccessARegionThatIsACopy() {
        VirtqueueAddressSpace space = VirtqueueAddressSpace.physical(mixed);

        assertFalse(space.isAllocated(1, 0, 1));
        assertTrue(space.isCopyMissing());
        assertFalse(space.isHugePageMissing());
        assertThrows(MemoryNotReadyException.class, () -> space.mapArea(GUEST + 8 * PAGE, 100, RW));
    }

    @Test
    void aVirtqueueWithoutCopiesAccessesTheOtherRegions() throws MemoryNotReadyException {
        VirtqueueAddressSpace space = VirtqueueAddressSpace.physical(mixed);

        assertTrue(space.isReadable(0, 0, 1));
        assertFalse(space.isCopyMissing());
        assertSameBytes(bytes.asSlice(PAGE, 100), space.mapArea(GUEST + PAGE, 100, RW));
    }

    @Test
    void mapsTheCopyOfAnArea() throws MemoryNotReadyException {
        try (ShadowVirtqueueAreas copies = new ShadowVirtqueueAreas()) {
            MemorySegment area = copies.addArea(GUEST + 8 * PAGE - 50, 100);
            VirtqueueAddressSpace space = VirtqueueAddressSpace.copied(mixed, copies);

            assertSameBytes(area, space.mapArea(GUEST + 8 * PAGE - 50, 100, RW));
            assertNull(space.mapArea(GUEST + 8 * PAGE - 50, 99, RW));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 100", "126976, 100", "-50, 100"})
    void doesNotMapTheCopyOfAnAreaOutsideMemory(long address, long length) throws MemoryNotReadyException {
        try (ShadowVirtqueueAreas copies = new ShadowVirtqueueAreas()) {
            copies.addArea(address, length);

            assertNull(VirtqueueAddressSpace.copied(memory, copies).mapArea(address, length, RW));
        }
    }

    @Test
    void aCopyIsReadableAfterItWasRead() {
        try (ShadowVirtqueueAreas copies = new ShadowVirtqueueAreas()) {
            VirtqueueAddressSpace space = VirtqueueAddressSpace.copied(mixed, copies);
            boolean before = space.isReadable(1, 64, 16);
            long missing = copies.missingAddress();
            copies.readMissing();
            boolean after = space.isReadable(1, 64, 16);
            copies.forgetRead();

            assertFalse(before);
            assertEquals(GUEST + 8 * PAGE + 64, missing);
            assertTrue(after);
            assertTrue(space.isAllocated(1, 64, 16));
            assertFalse(space.isReadable(1, 64, 16));
        }
    }

    // --- translations ----------------------------------------------------------------------------------------------

    @Test
    void translatesAnAddressInAnEntry() {
        map(IOVA, GUEST + PAGE, RW);

        int translation = translated.translate(IOVA + 7, RW);

        assertTrue(translated.isTranslated());
        assertEquals(GUEST + PAGE + 7, translated.guestAddress(translation, IOVA + 7));
        assertEquals(GUEST + PAGE + 7, translated.guestAddress(IOVA + 7));
        assertEquals(PAGE - 7, translated.remaining(translation, IOVA + 7));
        assertFalse(translated.isDenied());
    }

    @Test
    void reportsAMissingTranslation() {
        map(IOVA, GUEST, RW);

        int translation = translated.translate(IOVA + PAGE, Iotlb.WRITE);

        assertEquals(VirtqueueAddressSpace.MISSING, translation);
        assertEquals(IOVA + PAGE, translated.faultAddress());
        assertEquals(Iotlb.WRITE, translated.faultAccess());
        assertFalse(translated.isDenied());
    }

    @Test
    void reportsADeniedAccess() {
        map(IOVA, GUEST, Iotlb.READ);

        int translation = translated.translate(IOVA + 1, RW);

        assertEquals(VirtqueueAddressSpace.DENIED, translation);
        assertEquals(IOVA + 1, translated.faultAddress());
        assertEquals(RW, translated.faultAccess());
        assertTrue(translated.isDenied());
    }

    @Test
    void missAfterADeniedAccessIsNotDenied() {
        map(IOVA, GUEST, Iotlb.READ);
        translated.translate(IOVA, Iotlb.WRITE);

        translated.translate(IOVA + PAGE, Iotlb.READ);

        assertFalse(translated.isDenied());
    }

    // --- areas -----------------------------------------------------------------------------------------------------

    @Test
    void mapsAnAreaThatIsContiguousAcrossEntries() throws MemoryNotReadyException {
        map(IOVA, GUEST + PAGE, RW);
        map(IOVA + PAGE, GUEST + 2 * PAGE, RW);

        MemorySegment area = translated.mapArea(IOVA + 16, 2 * PAGE - 16, RW);

        assertSameBytes(bytes.asSlice(PAGE + 16, 2 * PAGE - 16), area);
    }

    @Test
    void refusesAnAreaThatIsNotContiguousInGuestMemory() throws MemoryNotReadyException {
        map(IOVA, GUEST + PAGE, RW);
        map(IOVA + PAGE, GUEST + 3 * PAGE, RW);

        assertSameBytes(bytes.asSlice(PAGE, PAGE), translated.mapArea(IOVA, PAGE, RW));
        assertNull(translated.mapArea(IOVA, PAGE + 1, RW));
    }

    @Test
    void refusesAnAreaThatTheIommuDenies() throws MemoryNotReadyException {
        map(IOVA, GUEST, Iotlb.READ);

        assertNull(translated.mapArea(IOVA, 16, Iotlb.WRITE));
        assertTrue(translated.isDenied());
    }

    @Test
    void refusesAnAreaThatEndsBeyondTheLastAddress() throws MemoryNotReadyException {
        iotlb.map(-PAGE, -1, GUEST, RW);
        iotlb.map(0, PAGE - 1, GUEST + PAGE, RW);

        assertSameBytes(bytes.asSlice(0, PAGE), translated.mapArea(-PAGE, PAGE, RW));
        assertNull(translated.mapArea(-PAGE, PAGE + 1, RW));
    }

    @Test
    void asksForTheFirstMissingEntryOfAnArea() {
        map(IOVA, GUEST, RW);

        MemoryNotReadyException missing =
                assertThrows(MemoryNotReadyException.class, () -> translated.mapArea(IOVA + 8, PAGE, RW));

        assertTrue(missing.getMessage().contains(Long.toHexString(IOVA + PAGE)), missing.getMessage());
        assertEquals(IOVA + PAGE, translated.faultAddress());
    }

    @ParameterizedTest
    @CsvSource({
        "-1, -1, false",
        "-1, 0, true",
        "0, 0, true",
        "15, 15, true",
        "15, 99, true",
        "16, 16, false",
        "-100, 100, true",
        "255, 255, false",
        "256, 256, true",
        "271, 271, true",
        "272, 511, false",
        "512, 512, true",
        "528, 528, false"
    })
    void knowsWhetherARangeOverlapsAMappedArea(long first, long last, boolean overlaps) throws MemoryNotReadyException {
        map(IOVA, GUEST, RW);
        translated.mapArea(IOVA, 16, RW);
        translated.mapArea(IOVA + 256, 16, RW);
        translated.mapArea(IOVA + 512, 16, RW);

        assertEquals(overlaps, translated.hasAreaIn(IOVA + first, IOVA + last));
    }

    @Test
    void hasNoAreaThatCouldNotBeMapped() throws MemoryNotReadyException {
        map(IOVA, GUEST, Iotlb.READ);
        translated.mapArea(IOVA, 16, Iotlb.WRITE);

        assertFalse(translated.hasAreaIn(IOVA, IOVA));
    }
}
