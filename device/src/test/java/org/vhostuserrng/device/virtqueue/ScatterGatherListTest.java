package org.vhostuserrng.device.virtqueue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.virtio.VirtioConstants;

class ScatterGatherListTest {
    private static final long PAGE = 4096;
    private static final long REGION_BYTES = 64 * PAGE;
    private static final long FIRST = 16 * PAGE;
    private static final long SECOND = FIRST + REGION_BYTES;
    private static final long END = SECOND + REGION_BYTES;
    private static final int WRITE = VirtioConstants.VIRTQ_DESC_F_WRITE;
    private static final int TABLE_OFFSET = 3;

    private final MemorySegment firstRegion = Arena.ofAuto().allocate(REGION_BYTES);
    private final MemorySegment secondRegion = Arena.ofAuto().allocate(REGION_BYTES);
    private final GuestMemory memory = GuestMemory.of(List.of(
            new GuestMemory.Region(FIRST, firstRegion, false), new GuestMemory.Region(SECOND, secondRegion, false)));
    private final VirtqueueAddressSpace physical = VirtqueueAddressSpace.physical(memory);
    private final Iotlb iotlb = new Iotlb();
    private final VirtqueueAddressSpace translated = VirtqueueAddressSpace.translated(memory, iotlb);
    private final ScatterGatherList list = new ScatterGatherList();

    private VirtqueueFault add(VirtqueueAddressSpace space, long address, int length, int flags) {
        MemorySegment table = Arena.ofAuto().allocate(TABLE_OFFSET + 16);
        table.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), TABLE_OFFSET, address);
        table.set(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), TABLE_OFFSET + 8, length);
        return list.addDescriptor(space, table, TABLE_OFFSET, flags);
    }

    private VirtqueueFault add(long address, int length) {
        return add(physical, address, length, WRITE);
    }

    private void map(long iova, long length, long guestAddress, int access) {
        iotlb.map(iova, iova + length - 1, guestAddress, access);
    }

    private List<Integer> lengths() {
        List<Integer> lengths = new ArrayList<>();
        for (int segment = 0; segment < list.segments(); segment++) {
            lengths.add(list.length(segment));
        }
        return lengths;
    }

    // --- buffers ---------------------------------------------------------------------------------------------------

    @Test
    void bufferIsASegmentOfItsRegion() {
        VirtqueueFault fault = add(SECOND + 5, 100);

        assertNull(fault);
        assertEquals(List.of(100), lengths());
        assertSame(secondRegion, list.region(0));
        assertEquals(5, list.offset(0));
        assertEquals(100, list.bytes());
        assertEquals(1, list.descriptors());
    }

    @Test
    void bufferAcrossRegionsHasASegmentInEach() {
        VirtqueueFault fault = add(SECOND - 10, 30);

        assertNull(fault);
        assertEquals(List.of(10, 20), lengths());
        assertSame(firstRegion, list.region(0));
        assertEquals(REGION_BYTES - 10, list.offset(0));
        assertSame(secondRegion, list.region(1));
        assertEquals(0, list.offset(1));
    }

    @Test
    void bufferMustEndInGuestMemory() {
        assertNull(add(END - 10, 10));
        assertEquals(VirtqueueFault.BUFFER_RANGE, add(END - 10, 11));
        assertEquals(VirtqueueFault.BUFFER_RANGE, add(FIRST - 1, 10));
    }

    @Test
    void bufferMustNotExtendBeyondTheLastAddress() {
        GuestMemory top = GuestMemory.of(List.of(
                new GuestMemory.Region(-PAGE, Arena.ofAuto().allocate(PAGE), false),
                new GuestMemory.Region(0, Arena.ofAuto().allocate(PAGE), false)));
        VirtqueueAddressSpace space = VirtqueueAddressSpace.physical(top);

        assertNull(add(space, -PAGE, (int) PAGE, WRITE));
        assertEquals(VirtqueueFault.BUFFER_RANGE, add(space, -PAGE, (int) PAGE + 1, WRITE));
    }

    @Test
    void lengthIsUnsigned() {
        assertEquals(VirtqueueFault.BUFFER_RANGE, add(FIRST, -1));
    }

    @Test
    void deviceReadableBufferIsAFault() {
        assertEquals(VirtqueueFault.DEVICE_READABLE, add(physical, FIRST, 10, 0));
        assertEquals(VirtqueueFault.DEVICE_READABLE, add(physical, FIRST, 10, VirtioConstants.VIRTQ_DESC_F_NEXT));
    }

    @Test
    void emptyBufferAddsNothing() {
        VirtqueueFault fault = add(0, 0);

        assertNull(fault);
        assertEquals(0, list.segments());
        assertEquals(1, list.descriptors());
        assertEquals(VirtqueueFault.NO_WRITABLE_BYTES, list.faultAtEnd());
    }

    @Test
    void chainWithAByteIsNoFault() {
        add(0, 0);
        add(FIRST, 1);

        assertNull(list.faultAtEnd());
    }

    @Test
    void clearedListIsEmpty() {
        add(FIRST, 10);

        list.clear();

        assertEquals(0, list.segments());
        assertEquals(0, list.bytes());
        assertEquals(0, list.descriptors());
    }

    // --- limits ----------------------------------------------------------------------------------------------------

    @Test
    void keepsAtMost64Kibibytes() {
        add(FIRST, 65_535);

        VirtqueueFault fault = add(FIRST + 65_535, 100);
        add(FIRST, 100);

        assertNull(fault);
        assertEquals(65_536, list.bytes());
        assertEquals(List.of(65_535, 1), lengths());
    }

    @Test
    void keepsAtMost1024Segments() {
        for (int i = 0; i < 1025; i++) {
            assertNull(add(FIRST + 2L * i, 1));
        }

        assertEquals(1024, list.segments());
        assertEquals(1024, list.bytes());
        assertEquals(1025, list.descriptors());
    }

    @Test
    void ignoresDescriptorsBeyond2048() {
        for (int i = 0; i < 2048; i++) {
            add(0, 0);
        }
        list.clear();
        for (int i = 0; i < 2047; i++) {
            add(0, 0);
        }

        VirtqueueFault fault = add(FIRST, 1);
        VirtqueueFault ignored = add(physical, 0, 10, 0);

        assertNull(fault);
        assertNull(ignored);
        assertEquals(1, list.bytes());
    }

    @Test
    void restOfABufferBeyondTheLimitsMustBeInGuestMemoryToo() {
        add(FIRST, 65_536);

        assertEquals(VirtqueueFault.BUFFER_RANGE, add(END, 1));
    }

    // --- IOMMU -----------------------------------------------------------------------------------------------------

    @Test
    void translatedBufferHasASegmentForEachTranslation() {
        map(0, PAGE, FIRST + 8 * PAGE, Iotlb.WRITE);
        map(PAGE, PAGE, FIRST + 2 * PAGE, Iotlb.WRITE);

        VirtqueueFault fault = add(translated, PAGE - 10, 30, WRITE);

        assertNull(fault);
        assertEquals(List.of(10, 20), lengths());
        assertEquals(9 * PAGE - 10, list.offset(0));
        assertEquals(2 * PAGE, list.offset(1));
    }

    @Test
    void translationMustPermitWriting() {
        map(0, PAGE, FIRST, Iotlb.READ);

        assertEquals(VirtqueueFault.ACCESS_DENIED, add(translated, 0, 1, WRITE));
        assertEquals(VirtqueueFault.IOTLB_MISS, add(translated, PAGE, 1, WRITE));
    }

    @Test
    void translationMustLeadToGuestMemory() {
        map(0, PAGE, END - 16, Iotlb.WRITE);

        assertNull(add(translated, 0, 16, WRITE));
        assertEquals(VirtqueueFault.BUFFER_RANGE, add(translated, 0, 17, WRITE));
    }

    @Test
    void onlyTheKeptPartOfABufferIsTranslated() {
        map(0, 16 * PAGE, FIRST, Iotlb.WRITE);

        VirtqueueFault whole = add(translated, 0, 65_536 + 1, WRITE);
        VirtqueueFault further = add(translated, 32 * PAGE, 1, WRITE);

        assertNull(whole);
        assertNull(further);
        assertEquals(65_536, list.bytes());
    }

    @Test
    void noBufferIsTranslatedBeyond1024Segments() {
        map(0, PAGE, FIRST, Iotlb.WRITE);
        for (int i = 0; i < 1024; i++) {
            add(translated, 0, 1, WRITE);
        }

        assertNull(add(translated, 32 * PAGE, 1, WRITE));
        assertEquals(1024, list.segments());
    }

    // --- positions -------------------------------------------------------------------------------------------------

    /** Segments of 10, 20 and 30 bytes. */
    @ParameterizedTest
    @CsvSource({
        "0, 1, 10",
        "0, 2, 30",
        "0, 3, 60",
        "0, 4, 60",
        "9, 1, 1",
        "10, 1, 20",
        "10, 2, 50",
        "29, 1, 1",
        "30, 1, 30",
        "59, 1, 1"
    })
    void countsTheBytesInSegments(int from, int maxSegments, int bytes) {
        add(FIRST, 10);
        add(FIRST + 100, 20);
        add(FIRST + 200, 30);

        assertEquals(bytes, list.bytesInSegments(from, maxSegments));
    }

    @Test
    void fingerprintIdentifiesTheBuffers() {
        add(FIRST, 10);
        add(FIRST + 100, 20);
        long fingerprint = list.fingerprint();

        assertNotEquals(fingerprint, fingerprintOf(FIRST, 10, FIRST + 101, 20));
        assertNotEquals(fingerprint, fingerprintOf(FIRST + 1, 10, FIRST + 100, 20));
        assertNotEquals(fingerprint, fingerprintOf(FIRST, 11, FIRST + 100, 19));
        assertNotEquals(fingerprint, fingerprintOf(FIRST, 10, FIRST + 100, 21));
        assertNotEquals(fingerprint, fingerprintOf(FIRST + 100, 20, FIRST, 10));
        assertNotEquals(fingerprint, fingerprintOf(FIRST, 10, SECOND + 100, 20));
        assertEquals(fingerprint, fingerprintOf(FIRST, 10, FIRST + 100, 20));
    }

    private long fingerprintOf(long first, int firstLength, long second, int secondLength) {
        list.clear();
        add(first, firstLength);
        add(second, secondLength);
        return list.fingerprint();
    }

    /** Columns: range of positions that were written, pages that are logged. */
    @ParameterizedTest
    @CsvSource({
        "0, 10, 16",
        "0, 4107, 16 17 18",
        "10, 11, 17",
        "10, 4106, 17",
        "10, 4107, 17 18",
        "4106, 4107, 18",
        "5, 4106, 16 17",
        "10, 10, ''"
    })
    void logsTheWrittenPages(int from, int to, String pages) throws IOException {
        add(FIRST, 10);
        add(FIRST + PAGE, (int) PAGE);
        add(FIRST + 2 * PAGE + 100, 5);
        try (DirtyPageLog log = new DirtyPageLog()) {
            MemoryMapping bitmap =
                    MemoryMapping.adopt(SealedMemfd.create("log", PAGE), 0, 64).open();
            log.setBitmap(bitmap);
            VirtqueueDirtyLogger logger = new VirtqueueDirtyLogger(log);
            logger.setBufferLogging(true);

            list.logWrite(logger, from, to);

            assertEquals(pages, markedPages(bitmap));
        }
    }

    private static String markedPages(MemoryMapping bitmap) {
        List<String> pages = new ArrayList<>();
        for (long page = 0; page < 8 * bitmap.segment().byteSize(); page++) {
            if ((bitmap.segment().get(ValueLayout.JAVA_BYTE, page / 8) >> page % 8 & 1) != 0) {
                pages.add(Long.toString(page));
            }
        }
        return String.join(" ", pages);
    }
}
