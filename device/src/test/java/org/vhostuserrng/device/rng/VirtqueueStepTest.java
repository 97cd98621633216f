package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * Tests the operations of split and packed virtqueues one by one, also after a previous device that ended between two
 * of them.
 */
class VirtqueueStepTest {
    private static final int SIZE = 8;
    private static final int WRAP = VirtioConstants.PACKED_WRAP_COUNTER;
    private static final long EVENT_IDX = VirtioConstants.VIRTIO_F_EVENT_IDX;
    /** Size in bytes of the header, and of each entry, of an inflight region. */
    private static final int SPLIT_ENTRY = 16;

    private static final int PACKED_ENTRY = 32;

    private final ScatterGatherList buffers = new ScatterGatherList();

    private VirtqueueFault serve(Virtqueue queue) {
        assertTrue(queue.hasAvailable());
        VirtqueueFault fault = queue.peek(buffers);
        queue.pop();
        queue.addUsed(8);
        return fault;
    }

    private static void makeAvailable(RngTestGuest<?> guest, int count) {
        for (int i = 0; i < count; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS + 8L * i, 8);
        }
    }

    /** Returns whether the first request is in flight in the inflight region. */
    private static boolean isInflight(RngTestGuest<?> guest, boolean packed) {
        int entry = packed ? PACKED_ENTRY : SPLIT_ENTRY;
        return guest.inflight.bytes().get(ValueLayout.JAVA_BYTE, entry) != 0;
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"false, 0", "true, 0", "false, 536870912", "true, 536870912"})
    void enablingNotificationsFindsABufferThatArrivedMeanwhile(boolean packed, long features) {
        RngTestGuest<?> guest = RngTestGuest.of(packed, SIZE, features);
        Virtqueue queue = guest.virtqueue();
        boolean before = queue.enableNotifications();

        makeAvailable(guest, 1);

        assertFalse(before);
        assertTrue(queue.enableNotifications());
    }

    @Test
    void packedQueueAsksForANotificationOfItsNextDescriptor() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, EVENT_IDX);
        guest.driver.reset(3 | WRAP);
        Virtqueue queue = guest.virtqueue();

        queue.enableNotifications();

        assertEquals(VirtioConstants.RING_EVENT_FLAGS_DESC, guest.driver.deviceEventFlags());
        assertEquals(3 | WRAP, guest.driver.deviceEventOffWrap());
    }

    @Test
    void packedQueueEnablesAllNotificationsWithoutEventIdx() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, 0);
        Virtqueue queue = guest.virtqueue();
        queue.disableNotifications();
        int disabled = guest.driver.deviceEventFlags();

        queue.enableNotifications();

        assertEquals(VirtioConstants.RING_EVENT_FLAGS_DISABLE, disabled);
        assertEquals(VirtioConstants.RING_EVENT_FLAGS_ENABLE, guest.driver.deviceEventFlags());
    }

    @Test
    void eventDescriptorBeyondTheRingCausesANotification() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, EVENT_IDX);
        Virtqueue queue = guest.virtqueue();
        guest.driver.setDriverEvent(VirtioConstants.RING_EVENT_FLAGS_DESC, SIZE | WRAP);
        makeAvailable(guest, 1);
        serve(queue);

        assertTrue(queue.publishUsed());
    }

    // --- positions -------------------------------------------------------------------------------------------------

    @Test
    void positionOfASplitQueueExcludesUnpublishedBuffers() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        Virtqueue queue = guest.virtqueue();
        makeAvailable(guest, 2);
        serve(queue);
        queue.publishUsed();
        serve(queue);

        assertEquals(new VirtqueuePosition(1, 1), queue.position());
    }

    @Test
    void lastIndexOfASplitQueueIsAccepted() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split();
        guest.driver.reset(0xffff);

        assertEquals(0xffff, guest.start(0xffff).position().nextAvail());
    }

    @Test
    void packedQueueServesSeveralBuffersAcrossTheEndOfItsSecondRound() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(4, 0);
        guest.driver.reset(3);
        Virtqueue queue = guest.virtqueue();
        makeAvailable(guest, 4);

        for (int i = 0; i < 4; i++) {
            assertNull(serve(queue));
        }
        queue.publishUsed();

        assertEquals(4, guest.takeAllUsed());
    }

    @Test
    void packedQueueIgnoresADescriptorThatTheDriverCannotHaveMadeAvailable() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(2, 0);
        Virtqueue queue = guest.virtqueue();
        makeAvailable(guest, 2);
        serve(queue);
        serve(queue);

        guest.driver.setFlags(0, DriverPackedRing.availableFlags(false) | VirtioConstants.VIRTQ_DESC_F_WRITE);

        assertFalse(queue.hasAvailable());
    }

    @Test
    void rejectedPositionIsDescribed() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, 0);

        InvalidVirtqueueException rejected = assertThrows(
                InvalidVirtqueueException.class,
                () -> Virtqueue.start(guest.config((WRAP | SIZE) << 16 | WRAP | SIZE)));

        assertTrue(rejected.getMessage().contains("position 8008"), rejected.getMessage());
    }

    // --- in-flight requests ----------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void poppedBufferIsInFlightUntilItIsPublishedOrPushedBack(boolean packed) {
        RngTestGuest<?> guest = RngTestGuest.of(packed, SIZE, 0);
        guest.recordInflight(SIZE);
        Virtqueue queue = guest.virtqueue();
        makeAvailable(guest, 1);
        queue.hasAvailable();
        queue.peek(buffers);
        queue.pop();
        boolean afterPop = isInflight(guest, packed);
        queue.undoPop();
        boolean afterUndo = isInflight(guest, packed);
        queue.pop();
        queue.addUsed(8);
        boolean beforePublication = isInflight(guest, packed);

        queue.publishUsed();

        assertTrue(afterPop);
        assertFalse(afterUndo);
        assertTrue(beforePublication);
        assertFalse(isInflight(guest, packed));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void faultOfAResubmittedBufferIsReported(boolean packed) {
        RngTestGuest<?> guest = RngTestGuest.of(packed, SIZE, 0);
        guest.recordInflight(SIZE);
        Virtqueue predecessor = guest.virtqueue();
        guest.driver.makeAvailable(guest.driver.addBuffer(DriverBufferElement.writable(RngTestGuest.END - 4, 8)));
        predecessor.hasAvailable();
        predecessor.peek(buffers);
        predecessor.pop();
        Virtqueue successor = guest.virtqueue();

        assertTrue(successor.hasAvailable());
        assertEquals(VirtqueueFault.BUFFER_RANGE, successor.peek(buffers));
    }

    /**
     * The first used descriptor of a batch is unpublished and hides the others, which must not become visible when the
     * next device publishes the first one.
     */
    @ParameterizedTest
    @ValueSource(ints = {0x8000, 0, 6, 0x8006})
    void unpublishedUsedDescriptorsOfAPredecessorStayHidden(int slot) {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, 0);
        guest.driver.reset(slot);
        guest.recordInflight(SIZE);
        Virtqueue predecessor = guest.virtqueue();
        makeAvailable(guest, 4);
        for (int i = 0; i < 4; i++) {
            serve(predecessor);
        }
        Virtqueue successor = guest.virtqueue();

        serve(successor);
        successor.publishUsed();
        int visible = guest.takeAllUsed();
        for (int i = 0; i < 3; i++) {
            serve(successor);
        }
        successor.publishUsed();

        assertEquals(1, visible);
        assertEquals(3, guest.takeAllUsed());
    }

    // --- texts -----------------------------------------------------------------------------------------------------

    @Test
    void everyFaultHasAText() {
        for (VirtqueueFault fault : VirtqueueFault.values()) {
            assertFalse(fault.toString().isEmpty());
        }
        assertEquals("buffer is device-readable", VirtqueueFault.DEVICE_READABLE.toString());
    }
}
