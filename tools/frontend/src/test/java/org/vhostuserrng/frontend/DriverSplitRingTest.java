package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriverSplitRingTest {
    private static final long BASE = 0x10_0000L;
    private static final int SIZE = 4;
    private static final DriverSplitRingAddresses ADDRESSES = DriverSplitRingAddresses.contiguous(BASE, SIZE);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment memory = arena.allocate(4096, 4096);

    @AfterEach
    void free() {
        arena.close();
    }

    private DriverSplitRing ring(boolean eventIndex) {
        return new DriverSplitRing(memory, BASE, ADDRESSES, eventIndex);
    }

    private long descriptor(int index) {
        return ADDRESSES.descriptorTable() - BASE + 16L * index;
    }

    private int available(long offset) {
        return memory.get(LE16, ADDRESSES.availableRing() - BASE + offset) & 0xffff;
    }

    private void deviceUses(int atIndex, int id, int length) {
        long used = ADDRESSES.usedRing() - BASE;
        memory.set(LE32, used + 4 + 8L * (atIndex % SIZE), id);
        memory.set(LE32, used + 8 + 8L * (atIndex % SIZE), length);
        memory.set(LE16, used + 2, (short) (atIndex + 1));
    }

    private void deviceSetsUsedFlags(int flags) {
        memory.set(LE16, ADDRESSES.usedRing() - BASE, (short) flags);
    }

    private void deviceSetsAvailEvent(int index) {
        memory.set(LE16, ADDRESSES.usedRing() - BASE + 4 + 8L * SIZE, (short) index);
    }

    @Test
    void contiguousAddressesAreAligned() {
        DriverSplitRingAddresses addresses = DriverSplitRingAddresses.contiguous(0x1001, 5);

        assertEquals(0x1010, addresses.descriptorTable());
        assertEquals(0x1010 + 80, addresses.availableRing());
        assertEquals(0x1010 + 80 + 16, addresses.usedRing());
        assertEquals(addresses.usedRing() + 6 + 40, addresses.endAddress());
    }

    @Test
    void writableDescriptorHasAddressLengthAndWriteFlag() {
        DriverSplitRing ring = ring(false);

        int head = ring.addWritableBuffer(0x1234_5678_9abcL, 64);

        assertEquals(0x1234_5678_9abcL, memory.get(LE64, descriptor(head)));
        assertEquals(64, memory.get(LE32, descriptor(head) + 8));
        assertEquals(DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE, memory.get(LE16, descriptor(head) + 12));
    }

    @Test
    void chainIsLinkedInOrderAndEndsWithADescriptorWithoutNext() {
        DriverSplitRing ring = ring(false);

        int head = ring.addBuffer(DriverBufferElement.readable(0x1000, 1), DriverBufferElement.writable(0x2000, 2));

        int second = memory.get(LE16, descriptor(head) + 14);
        assertEquals(DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT, memory.get(LE16, descriptor(head) + 12));
        assertEquals(0x2000, memory.get(LE64, descriptor(second)));
        assertEquals(DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE, memory.get(LE16, descriptor(second) + 12));
    }

    @Test
    void indirectDescriptorHasAddressAndLengthOfTheTable() {
        DriverSplitRing ring = ring(false);
        MemorySegment table = memory.asSlice(2048, 32);

        int head = ring.addIndirectBuffer(
                table, BASE + 2048, DriverBufferElement.writable(0x1000, 1), DriverBufferElement.writable(0x2000, 2));

        assertEquals(BASE + 2048, memory.get(LE64, descriptor(head)));
        assertEquals(32, memory.get(LE32, descriptor(head) + 8));
        assertEquals(DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT, memory.get(LE16, descriptor(head) + 12));
        assertEquals(
                DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE | DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT,
                table.get(LE16, 12));
        assertEquals(1, table.get(LE16, 14));
        assertEquals(DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE, table.get(LE16, 16 + 12));
    }

    @Test
    void makeAvailableWritesTheHeadAndIncrementsTheIndex() {
        DriverSplitRing ring = ring(false);
        int head = ring.addWritableBuffer(0x1000, 64);

        ring.makeAvailable(head);

        assertEquals(head, available(4));
        assertEquals(1, available(2));
    }

    @Test
    void availableIndexWrapsAt16Bits() {
        DriverSplitRing ring = ring(false);
        ring.reset(0xffff);

        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));

        assertEquals(0, available(2));
        assertEquals(0, ring.availIdx());
    }

    @Test
    void popUsedReturnsIdAndLengthAndFreesTheWholeChain() {
        DriverSplitRing ring = ring(false);
        int head = ring.addBuffer(DriverBufferElement.writable(0x1000, 1), DriverBufferElement.writable(0x2000, 2));
        ring.makeAvailable(head);
        deviceUses(0, head, 3);

        assertTrue(ring.popUsed());

        assertEquals(head, ring.usedId());
        assertEquals(3, ring.usedLength());
        assertEquals(SIZE, ring.freeDescriptors());
        assertFalse(ring.popUsed());
    }

    @Test
    void chainOfAllDescriptorsCanBeAddedAgainAfterItWasUsed() {
        DriverSplitRing ring = ring(false);
        DriverBufferElement element = DriverBufferElement.writable(0x1000, 1);

        for (int round = 0; round < 3 * SIZE; round++) {
            int head = ring.addBuffer(element, element, element, element);
            ring.makeAvailable(head);
            deviceUses(round, head, 4);
            assertTrue(ring.popUsed());
        }

        assertEquals(SIZE, ring.freeDescriptors());
    }

    @Test
    void popUsedWrapsAt16Bits() {
        DriverSplitRing ring = ring(false);
        ring.reset(0xffff);
        int head = ring.addWritableBuffer(0x1000, 64);
        ring.makeAvailable(head);
        deviceUses(0xffff, head, 64);

        assertTrue(ring.popUsed());

        assertEquals(0, ring.lastUsedIdx());
        assertFalse(ring.hasUsed());
    }

    @Test
    void usedElementWithAnIdThatIsNotInFlightIsADeviceViolation() {
        DriverSplitRing ring = ring(false);
        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));
        deviceUses(0, SIZE, 64);

        assertThrows(DeviceViolationException.class, ring::popUsed);
    }

    @Test
    void addBufferThrowsIfTooFewDescriptorsAreFree() {
        DriverSplitRing ring = ring(false);
        DriverBufferElement element = DriverBufferElement.writable(0x1000, 1);

        assertThrows(IllegalStateException.class, () -> ring.addBuffer(element, element, element, element, element));
    }

    @Test
    void withoutEventIndexTheUsedFlagsControlTheKick() {
        DriverSplitRing ring = ring(false);
        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));
        assertTrue(ring.needsKick());

        deviceSetsUsedFlags(DriverVirtqueueConstants.VIRTQ_USED_F_NO_NOTIFY);
        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));

        assertFalse(ring.needsKick());
    }

    @Test
    void noKickIsNeededIfNothingNewIsAvailable() {
        assertFalse(ring(false).needsKick());
        assertFalse(ring(true).needsKick());
    }

    @Test
    void withEventIndexAvailEventControlsTheKick() {
        DriverSplitRing ring = ring(true);
        deviceSetsAvailEvent(1);
        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));
        assertFalse(ring.needsKick());

        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));

        assertTrue(ring.needsKick());
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 0, true",
        "1, 1, 0, false",
        "0, 2, 1, false",
        "5, 8, 3, true",
        "65535, 0, 65535, true",
        "65535, 2, 65534, true",
        "0, 2, 65534, true",
        "2, 2, 65534, false"
    })
    void eventIsPassedIfTheIndexMovesAcrossIt(int event, int now, int before, boolean passed) {
        assertEquals(passed, DriverSplitRing.eventPassed(event, now, before));
    }

    @Test
    void withoutEventIndexInterruptsAreControlledByTheAvailableFlags() {
        DriverSplitRing ring = ring(false);

        ring.disableInterrupts();
        assertEquals(DriverVirtqueueConstants.VIRTQ_AVAIL_F_NO_INTERRUPT, available(0));
        ring.enableInterrupts();

        assertEquals(0, available(0));
    }

    @Test
    void withEventIndexAnInterruptIsRequestedForTheNextUsedIndex() {
        DriverSplitRing ring = ring(true);
        int head = ring.addWritableBuffer(0x1000, 64);
        ring.makeAvailable(head);
        deviceUses(0, head, 64);
        ring.popUsed();

        ring.enableInterrupts();

        assertEquals(1, available(4 + 2L * SIZE));
    }

    @Test
    void enableInterruptsReportsAPendingUsedBuffer() {
        DriverSplitRing ring = ring(true);
        int head = ring.addWritableBuffer(0x1000, 64);
        ring.makeAvailable(head);
        deviceUses(0, head, 64);

        assertTrue(ring.enableInterrupts());
    }
}
