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

class DriverPackedRingTest {
    private static final long BASE = 0x10_0000L;
    private static final int SIZE = 5;
    private static final int WRAP = 0x8000;
    private static final int AVAIL = DriverVirtqueueConstants.VIRTQ_DESC_F_AVAIL;
    private static final int USED = DriverVirtqueueConstants.VIRTQ_DESC_F_USED;
    private static final int WRITE = DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE;
    private static final DriverPackedRingAddresses ADDRESSES = DriverPackedRingAddresses.contiguous(BASE, SIZE);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final DriverBufferElement ELEMENT = DriverBufferElement.writable(0x1000, 1);

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment memory = arena.allocate(4096, 4096);

    @AfterEach
    void free() {
        arena.close();
    }

    private DriverPackedRing ring(boolean eventIndex) {
        return new DriverPackedRing(memory, BASE, ADDRESSES, eventIndex);
    }

    private int id(int index) {
        return Short.toUnsignedInt(memory.get(LE16, 16L * index + 12));
    }

    private int flags(int index) {
        return Short.toUnsignedInt(memory.get(LE16, 16L * index + 14));
    }

    private int driverEvent() {
        return memory.get(LE32, ADDRESSES.driverEventSuppression() - BASE);
    }

    private void deviceUses(int index, boolean wrap, int id, int length) {
        memory.set(LE32, 16L * index + 8, length);
        memory.set(LE16, 16L * index + 12, (short) id);
        memory.set(LE16, 16L * index + 14, (short) (wrap ? AVAIL | USED | WRITE : WRITE));
    }

    private void deviceSetsEvent(int flags, int offWrap) {
        memory.set(LE32, ADDRESSES.deviceEventSuppression() - BASE, flags << 16 | offWrap);
    }

    @Test
    void contiguousAddressesAreAligned() {
        DriverPackedRingAddresses addresses = DriverPackedRingAddresses.contiguous(0x1001, 5);

        assertEquals(0x1010, addresses.descriptorRing());
        assertEquals(0x1010 + 80, addresses.driverEventSuppression());
        assertEquals(0x1010 + 84, addresses.deviceEventSuppression());
        assertEquals(0x1010 + 88, addresses.endAddress());
    }

    @Test
    void availableDescriptorHasAvailSetAndUsedClearIfTheWrapCounterIsOne() {
        DriverPackedRing ring = ring(false);
        int added = ring.addWritableBuffer(0x1234_5678_9abcL, 64);
        int before = flags(0);

        ring.makeAvailable(added);

        assertEquals(0, before);
        assertEquals(0x1234_5678_9abcL, memory.get(LE64, 0));
        assertEquals(64, memory.get(LE32, 8));
        assertEquals(added, id(0));
        assertEquals(AVAIL | WRITE, flags(0));
    }

    @Test
    void availableDescriptorHasAvailClearAndUsedSetIfTheWrapCounterIsZero() {
        DriverPackedRing ring = ring(false);
        ring.reset(0);

        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));

        assertEquals(USED | WRITE, flags(0));
    }

    @Test
    void chainHasNextInAllDescriptorsButTheLastWhichHasTheBufferId() {
        DriverPackedRing ring = ring(false);

        int added = ring.addBuffer(ELEMENT, ELEMENT, ELEMENT);
        ring.makeAvailable(added);

        int next = DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT;
        assertEquals(AVAIL | WRITE | next, flags(0));
        assertEquals(AVAIL | WRITE | next, flags(1));
        assertEquals(AVAIL | WRITE, flags(2));
        assertEquals(added, id(2));
    }

    @Test
    void chainAcrossTheEndOfTheRingTogglesTheWrapCounter() {
        DriverPackedRing ring = ring(false);
        ring.reset(4 | WRAP);

        ring.makeAvailable(ring.addBuffer(ELEMENT, ELEMENT));

        assertEquals(AVAIL | WRITE | DriverVirtqueueConstants.VIRTQ_DESC_F_NEXT, flags(4));
        assertEquals(USED | WRITE, flags(0));
        assertEquals(1, ring.nextAvailIdx());
    }

    @Test
    void firstDescriptorOfAChainIsMadeAvailableLast() {
        DriverPackedRing ring = ring(false);

        ring.addBuffer(ELEMENT, ELEMENT);

        assertEquals(0, flags(0));
        assertEquals(AVAIL | WRITE, flags(1));
    }

    @Test
    void indirectTableHasNoFlagsButWrite() {
        DriverPackedRing ring = ring(false);
        MemorySegment table = memory.asSlice(2048, 32);

        ring.makeAvailable(ring.addIndirectBuffer(table, BASE + 2048, ELEMENT, ELEMENT));

        assertEquals(BASE + 2048, memory.get(LE64, 0));
        assertEquals(32, memory.get(LE32, 8));
        assertEquals(AVAIL | DriverVirtqueueConstants.VIRTQ_DESC_F_INDIRECT, flags(0));
        assertEquals(WRITE, table.get(LE16, 14));
        assertEquals(WRITE, table.get(LE16, 30));
    }

    @Test
    void makeAvailableRejectsAnotherOrderThanThatOfAddition() {
        DriverPackedRing ring = ring(false);
        ring.addWritableBuffer(0x1000, 1);
        int second = ring.addWritableBuffer(0x1000, 1);

        assertThrows(IllegalStateException.class, () -> ring.makeAvailable(second));
    }

    @Test
    void popUsedReturnsIdAndLengthAndSkipsTheWholeChain() {
        DriverPackedRing ring = ring(false);
        int first = ring.addBuffer(ELEMENT, ELEMENT);
        ring.makeAvailable(first);
        ring.makeAvailable(ring.addBuffer(ELEMENT));
        deviceUses(0, true, first, 2);

        assertTrue(ring.popUsed());

        assertEquals(first, ring.usedId());
        assertEquals(2, ring.usedLength());
        assertEquals(2 | WRAP, ring.nextUsedIdx());
        assertEquals(SIZE - 1, ring.freeDescriptors());
        assertFalse(ring.popUsed());
    }

    @Test
    void chainOfAllDescriptorsCanBeAddedAgainAfterItWasUsed() {
        DriverPackedRing ring = ring(false);

        for (int round = 0; round < 3 * SIZE; round++) {
            int id = ring.addBuffer(ELEMENT, ELEMENT, ELEMENT, ELEMENT, ELEMENT);
            ring.makeAvailable(id);
            assertFalse(ring.hasUsed());
            deviceUses(0, round % 2 == 0, id, 4);
            assertTrue(ring.popUsed());
        }

        assertEquals(SIZE, ring.freeDescriptors());
    }

    @Test
    void usedDescriptorWithAnIdThatIsNotInFlightIsADeviceViolation() {
        DriverPackedRing ring = ring(false);
        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));
        deviceUses(0, true, SIZE, 64);

        assertThrows(DeviceViolationException.class, ring::popUsed);
    }

    @Test
    void noKickIsNeededIfNothingNewIsAvailable() {
        assertFalse(ring(false).needsKick());
    }

    @Test
    void noKickIsNeededIfTheDeviceDisablesNotifications() {
        DriverPackedRing ring = ring(false);
        deviceSetsEvent(DriverVirtqueueConstants.RING_EVENT_FLAGS_DISABLE, 0);

        ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));

        assertFalse(ring.needsKick());
    }

    @ParameterizedTest
    @CsvSource({
        // event off_wrap, first available off_wrap, number of descriptors, kick needed
        "0x8000, 0x8000, 1, true",
        "0x8001, 0x8000, 1, false",
        "0x8001, 0x8000, 2, true",
        "0x8004, 0x8003, 3, true",
        "0x0000, 0x8003, 3, true",
        "0x0001, 0x8003, 3, false",
        "0x8002, 0x8003, 3, false",
        "0x0002, 0x0002, 5, true",
        "0x8001, 0x0002, 5, true",
        "0x0001, 0x0002, 5, false"
    })
    void kickIsNeededIfTheEventDescriptorBecomesAvailable(String event, String from, int count, boolean needed) {
        DriverPackedRing ring = ring(true);
        ring.reset(Integer.decode(from));
        deviceSetsEvent(DriverVirtqueueConstants.RING_EVENT_FLAGS_DESC, Integer.decode(event));
        for (int i = 0; i < count; i++) {
            ring.makeAvailable(ring.addWritableBuffer(0x1000, 64));
        }

        assertEquals(needed, ring.needsKick());
    }

    @Test
    void withoutEventIndexInterruptsAreControlledByTheEventFlags() {
        DriverPackedRing ring = ring(false);

        ring.disableInterrupts();
        int disabled = driverEvent();
        ring.enableInterrupts();

        assertEquals(DriverVirtqueueConstants.RING_EVENT_FLAGS_DISABLE << 16, disabled);
        assertEquals(DriverVirtqueueConstants.RING_EVENT_FLAGS_ENABLE << 16, driverEvent());
    }

    @Test
    void withEventIndexAnInterruptIsRequestedForTheNextUsedDescriptor() {
        DriverPackedRing ring = ring(true);
        ring.reset(3 | WRAP);

        ring.enableInterrupts();

        assertEquals(DriverVirtqueueConstants.RING_EVENT_FLAGS_DESC << 16 | WRAP | 3, driverEvent());
    }

    @Test
    void enableInterruptsReportsAPendingUsedBuffer() {
        DriverPackedRing ring = ring(true);
        int id = ring.addWritableBuffer(0x1000, 64);
        ring.makeAvailable(id);
        deviceUses(0, true, id, 64);

        assertTrue(ring.enableInterrupts());
    }
}
