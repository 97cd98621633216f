package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests that the device resubmits requests that another back-end left in flight, in any order, and itself leaves a
 * valid inflight region. The offsets are those of the C structs in vhost-user, "Inflight I/O tracking".
 */
class InflightResubmissionTest {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int SIZE = 4;

    private static MemorySegment region(RngTestGuest<?> guest) {
        return guest.inflight.bytes();
    }

    private static int u16(RngTestGuest<?> guest, long at) {
        return Short.toUnsignedInt(region(guest).get(U16, at));
    }

    private static int u8(RngTestGuest<?> guest, long at) {
        return region(guest).get(ValueLayout.JAVA_BYTE, at);
    }

    private static void assertCompletes(RngTestGuest<?> guest, int... ids) {
        for (int id : ids) {
            assertTrue(guest.driver.popUsed(), "no used buffer, expected ID " + id);
            assertEquals(id, guest.driver.usedId());
        }
        assertFalse(guest.driver.hasUsed());
    }

    // Split virtqueue: a header of 16 bytes, and 16 bytes per descriptor

    private static RngTestGuest<DriverSplitRing> split() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(SIZE, 0);
        guest.recordInflight(SIZE);
        return guest;
    }

    private static void writeSplitHeader(RngTestGuest<?> guest, int lastBatchHead, int usedIdx) {
        region(guest).set(U16, 8, (short) 1);
        region(guest).set(U16, 10, (short) SIZE);
        region(guest).set(U16, 12, (short) lastBatchHead);
        region(guest).set(U16, 14, (short) usedIdx);
    }

    private static void writeSplit(RngTestGuest<?> guest, int head, boolean inflight, int next, long counter) {
        long at = 16 + 16L * head;
        region(guest).set(ValueLayout.JAVA_BYTE, at, (byte) (inflight ? 1 : 0));
        region(guest).set(U16, at + 6, (short) next);
        region(guest).set(U64, at + 8, counter);
    }

    @Test
    void splitRegionHasTheSpecifiedSize() {
        assertEquals(16 + 16 * SIZE, split().inflight.bytes().byteSize());
    }

    @Test
    void recordsNothingInFlightAfterServingASplitVirtqueue() {
        RngTestGuest<DriverSplitRing> guest = split();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        int second = guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);

        queue.drain();

        assertEquals(1, u16(guest, 8));
        assertEquals(SIZE, u16(guest, 10));
        assertEquals(second, u16(guest, 12));
        assertEquals(2, u16(guest, 14));
        assertEquals(0, u8(guest, 16));
        assertEquals(0, u8(guest, 16 + 16L * second));
    }

    @Test
    void doesNotRecordAStarvedRequestAsInFlight() {
        RngTestGuest<DriverSplitRing> guest = split();
        VirtqueueHandler queue = guest.start();
        int head = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        guest.source.remaining = 0;

        queue.drain();

        assertEquals(0, u8(guest, 16 + 16L * head));
        assertEquals(0, guest.stop(queue));
    }

    @Test
    void resubmitsInFlightRequestsOfASplitVirtqueueInCounterOrder() {
        RngTestGuest<DriverSplitRing> guest = split();
        int first = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        int second = guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);
        int third = guest.makeAvailable(RngTestGuest.BUFFERS + 128, 64);
        writeSplitHeader(guest, 0, 0);
        // The counter is unsigned, so −1 is the maximum.
        writeSplit(guest, second, true, 0, 7);
        writeSplit(guest, first, true, 0, -1);
        VirtqueueHandler queue = guest.start(0);

        queue.drain();

        assertCompletes(guest, second, first, third);
        assertEquals(3, guest.stop(queue));
    }

    @Test
    void doesNotResubmitTheLastBatchOfASplitVirtqueue() {
        RngTestGuest<DriverSplitRing> guest = split();
        int first = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        int second = guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);
        int third = guest.makeAvailable(RngTestGuest.BUFFERS + 128, 64);
        // The previous device used both buffers, and crashed before it updated used_idx in the region.
        guest.inflight = null;
        guest.source.remaining = 128;
        guest.start().drain();
        guest.recordInflight(SIZE);
        writeSplitHeader(guest, second, 0);
        writeSplit(guest, first, true, 0, 0);
        writeSplit(guest, second, true, first, 1);
        guest.source.remaining = Long.MAX_VALUE;

        guest.start(0).drain();

        assertCompletes(guest, first, second, third);
    }

    @Test
    void leavesResubmittedRequestsInTheAvailableRingWhenStopped() {
        RngTestGuest<DriverSplitRing> guest = split();
        int first = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        int second = guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);
        writeSplitHeader(guest, 0, 0);
        writeSplit(guest, first, true, 0, 0);
        writeSplit(guest, second, true, 0, 1);
        guest.source.remaining = 0;
        VirtqueueHandler queue = guest.start(0);
        queue.drain();

        int base = guest.stop(queue);

        assertEquals(0, base);
        assertEquals(0, u8(guest, 16 + 16L * first));
        assertEquals(0, u8(guest, 16 + 16L * second));
    }

    // Packed virtqueue: a header of 32 bytes, and 32 bytes per descriptor

    private static RngTestGuest<DriverPackedRing> packed() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, 0);
        guest.recordInflight(SIZE);
        return guest;
    }

    private static void writePackedHeader(
            RngTestGuest<?> guest, int freeHead, int oldFreeHead, int usedIdx, int oldUsedIdx) {
        region(guest).set(U16, 8, (short) 1);
        region(guest).set(U16, 10, (short) SIZE);
        region(guest).set(U16, 12, (short) freeHead);
        region(guest).set(U16, 14, (short) oldFreeHead);
        region(guest).set(U16, 16, (short) usedIdx);
        region(guest).set(U16, 18, (short) oldUsedIdx);
        region(guest).set(U16, 20, (short) 0x101);
        for (int entry = 0; entry < SIZE; entry++) {
            region(guest).set(U16, 32 + 32L * entry + 2, (short) (entry + 1));
        }
    }

    /** Writes the entry of a chain of one descriptor. */
    private static void writePacked(RngTestGuest<?> guest, int entry, long counter, int id, long address, int length) {
        long at = 32 + 32L * entry;
        region(guest).set(ValueLayout.JAVA_BYTE, at, (byte) 1);
        region(guest).set(U16, at + 4, (short) entry);
        region(guest).set(U16, at + 6, (short) 1);
        region(guest).set(U64, at + 8, counter);
        region(guest).set(U16, at + 16, (short) id);
        region(guest)
                .set(U16, at + 18, (short) (VirtioConstants.VIRTQ_DESC_F_WRITE | VirtioConstants.VIRTQ_DESC_F_AVAIL));
        region(guest).set(U32, at + 20, length);
        region(guest).set(U64, at + 24, address);
    }

    @Test
    void packedRegionHasTheSpecifiedSize() {
        assertEquals(32 + 32 * SIZE, packed().inflight.bytes().byteSize());
    }

    @Test
    void recordsNothingInFlightAfterServingAPackedVirtqueue() {
        RngTestGuest<DriverPackedRing> guest = packed();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 64),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 64, 64));

        queue.drain();

        assertEquals(1, u16(guest, 8));
        assertEquals(SIZE, u16(guest, 10));
        assertEquals(u16(guest, 12), u16(guest, 14));
        assertEquals(2, u16(guest, 16));
        assertEquals(2, u16(guest, 18));
        assertEquals(0x101, u16(guest, 20));
        assertEquals(0, u8(guest, 32));
        assertEquals(1, u16(guest, 32 + 4));
        assertEquals(2, u16(guest, 32 + 6));
    }

    @Test
    void resubmitsInFlightRequestsOfAPackedVirtqueueInCounterOrder() {
        RngTestGuest<DriverPackedRing> guest = packed();
        int first = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        int second = guest.makeAvailable(RngTestGuest.BUFFERS + 64, 64);
        int third = guest.makeAvailable(RngTestGuest.BUFFERS + 128, 64);
        writePackedHeader(guest, 2, 2, 0, 0);
        writePacked(guest, 0, 9, first, RngTestGuest.BUFFERS, 64);
        writePacked(guest, 1, 8, second, RngTestGuest.BUFFERS + 64, 64);
        VirtqueueHandler queue = guest.start(0x8000);

        queue.drain();

        assertCompletes(guest, second, first, third);
        assertEquals(0x8003_8003, guest.stop(queue));
    }

    @Test
    void resubmitsFromTheRegionADescriptorThatIsOverwrittenInTheRing() {
        RngTestGuest<DriverPackedRing> guest = packed();
        int first = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        int second = guest.makeAvailable(RngTestGuest.BUFFERS + 64, 32);
        // The previous device used the second buffer, whose used descriptor has overwritten the first descriptor.
        guest.firstRegion.set(U32, 8, 32);
        guest.firstRegion.set(U16, 12, (short) second);
        guest.firstRegion.set(U16, 14, (short) (VirtioConstants.VIRTQ_DESC_F_WRITE | 0x8080));
        writePackedHeader(guest, 1, 1, 1, 1);
        writePacked(guest, 0, 0, first, RngTestGuest.BUFFERS, 64);
        guest.source.remaining = 64;

        guest.start(0x8000).drain();

        assertCompletes(guest, second, first);
        assertEquals(64, guest.driver.usedLength());
    }

    @Test
    void keepsStarvedRequestsOfAPackedVirtqueueInTheRegionWhenStopped() {
        RngTestGuest<DriverPackedRing> guest = packed();
        int first = guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        writePackedHeader(guest, 1, 1, 0, 0);
        writePacked(guest, 0, 0, first, RngTestGuest.BUFFERS, 64);
        guest.source.remaining = 0;
        VirtqueueHandler queue = guest.start(0x8000);
        queue.drain();

        int base = guest.stop(queue);

        assertEquals(0x8000_8001, base);
        guest.source.remaining = 64;
        guest.start(base).drain();
        assertCompletes(guest, first);
    }

    // Invalid regions

    private static void assertRejected(RngTestGuest<?> guest) {
        assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(guest.config(0x8000)));
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 0xffff})
    void rejectsOtherVersions(long version) {
        RngTestGuest<DriverSplitRing> splitGuest = split();
        RngTestGuest<DriverPackedRing> packedGuest = packed();
        region(splitGuest).set(U16, 8, (short) version);
        region(packedGuest).set(U16, 8, (short) version);

        assertRejected(packedGuest);
        assertThrows(InvalidVirtqueueException.class, () -> splitGuest.device.start(splitGuest.config(0)));
    }

    @Test
    void rejectsARegionForASmallerQueue() {
        RngTestGuest<DriverPackedRing> guest = packed();
        guest.inflight = new InflightRegion(region(guest), SIZE - 1);

        assertRejected(guest);
    }

    @Test
    void rejectsAFreeListWithALoop() {
        RngTestGuest<DriverPackedRing> guest = packed();
        writePackedHeader(guest, 0, 0, 0, 0);
        region(guest).set(U16, 32 + 3 * 32 + 2, (short) 1);

        assertRejected(guest);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, SIZE + 1, 0xffff})
    void rejectsAChainWithAWrongNumberOfDescriptors(int num) {
        RngTestGuest<DriverPackedRing> guest = packed();
        writePackedHeader(guest, 1, 1, 0, 0);
        writePacked(guest, 0, 0, 0, RngTestGuest.BUFFERS, 64);
        region(guest).set(U16, 32 + 6, (short) num);

        assertRejected(guest);
    }

    @Test
    void doesNotResubmitAChainOnTheFreeList() {
        RngTestGuest<DriverPackedRing> guest = packed();
        writePackedHeader(guest, 1, 1, 0, 0);
        writePacked(guest, 0, 0, 0, RngTestGuest.BUFFERS, 64);
        region(guest).set(U16, 32 + 3 * 32 + 2, (short) 0);
        region(guest).set(U16, 32 + 2, (short) SIZE);

        VirtqueueHandler queue = guest.start(0x8000);

        assertEquals(0x8000_8000, guest.stop(queue));
    }
}
