package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** Tests the entropy device with a packed virtqueue (VIRTIO 1.3 §2.8). */
class PackedRngRequestQueueTest extends RngRequestQueueContract {
    /** The bit of the wrap counter in a position and in an event suppression structure. */
    private static final int WRAP = 0x8000;

    @Override
    RngTestGuest<DriverPackedRing> guest(int size, long features, GuestRateLimiter rateLimiter) {
        return RngTestGuest.packed(size, features, rateLimiter);
    }

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 255, 1000, 32767, 32768})
    void servesAnyQueueSizeAcrossTheEndOfTheRing(int size) {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(size, 0);
        guest.driver.reset(Math.max(0, size - 4) | WRAP);
        VirtqueueHandler queue = guest.start();

        for (int i = 0; i < 20; i++) {
            guest.makeAvailable(RngTestGuest.SECOND_REGION, 8);
            queue.drain();

            assertTrue(guest.driver.popUsed());
            assertEquals(8, guest.driver.usedLength());
        }
        assertEquals(guest.driver.vringBase(), guest.stop(queue));
    }

    @Test
    void servesAChainThatCrossesTheEndOfTheRing() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(5, 0);
        guest.driver.reset(3 | WRAP);
        VirtqueueHandler queue = guest.start();
        int id = guest.makeAvailable(
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 10, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 20, 10));

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(id, guest.driver.usedId());
        assertEquals(30, guest.driver.usedLength());
        assertEquals(1, guest.driver.nextUsedIdx());
        assertArrayEquals(RngTestGuest.sequence(0, 30), guest.bytesAt(RngTestGuest.BUFFERS, 30));
    }

    @Test
    void servesAFullRingInOneDrain() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(7, 0);
        guest.driver.reset(4);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 7; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS, 8);
        }

        queue.drain();

        assertEquals(7, guest.takeAllUsed());
        assertEquals(7, guest.driver.freeDescriptors());
    }

    @Test
    void hidesUsedDescriptorsUntilTheyArePublished() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
        Virtqueue queue = guest.virtqueue();
        ScatterGatherList buffers = new ScatterGatherList();
        guest.makeAvailable(RngTestGuest.BUFFERS, 8);
        guest.makeAvailable(RngTestGuest.BUFFERS, 8);
        for (int i = 0; i < 2; i++) {
            queue.hasAvailable();
            queue.peek(buffers);
            queue.addUsed(8);
        }
        boolean visibleBefore = guest.driver.hasUsed();

        queue.publishUsed();

        assertFalse(visibleBefore);
        assertEquals(2, guest.takeAllUsed());
    }

    @Test
    void positionExcludesUnpublishedUsedDescriptors() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
        Virtqueue queue = guest.virtqueue();
        VirtqueuePosition position = queue.position();
        guest.makeAvailable(RngTestGuest.BUFFERS, 8);
        queue.hasAvailable();
        queue.peek(new ScatterGatherList());
        queue.addUsed(8);

        assertEquals(position, queue.position());
    }

    @Test
    void ignoresAllFlagsExceptWriteInAnIndirectTable() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        int write = VirtioConstants.VIRTQ_DESC_F_WRITE;
        DriverPackedRing.writeDescriptor(guest.secondRegion, 0, RngTestGuest.BUFFERS, 8, 77, 0xffff);
        DriverPackedRing.writeDescriptor(guest.secondRegion, 1, RngTestGuest.BUFFERS + 8, 8, 78, write);
        guest.driver.setDescriptor(
                0,
                RngTestGuest.SECOND_REGION,
                32,
                5,
                VirtioConstants.VIRTQ_DESC_F_INDIRECT | write | VirtioConstants.VIRTQ_DESC_F_AVAIL);

        queue.drain();

        assertEquals(0x8001_8001, guest.stop(queue));
        assertArrayEquals(RngTestGuest.sequence(0, 16), guest.bytesAt(RngTestGuest.BUFFERS, 16));
    }

    // VIRTIO 1.3 §2.8.10: event suppression.

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 1"})
    void sendsNotificationsUnlessTheEventFlagsDisableThem(int flags, long notifications) {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.driver.setDriverEvent(flags, 5 | WRAP);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(notifications, guest.notifier.count());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void sendsANotificationIfAndOnlyIfTheEventDescriptorIsUsed(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            int size = 1 + random.nextInt(9);
            RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(size, VirtioConstants.VIRTIO_F_EVENT_IDX);
            int slot = random.nextInt(size) | (random.nextBoolean() ? WRAP : 0);
            guest.driver.reset(slot);
            VirtqueueHandler queue = guest.start();
            int event = random.nextInt(size) | (random.nextBoolean() ? WRAP : 0);
            guest.driver.setDriverEvent(VirtioConstants.RING_EVENT_FLAGS_DESC, event);
            boolean eventUsed = false;
            while (guest.driver.freeDescriptors() > 0 && random.nextInt(4) > 0) {
                DriverBufferElement[] chain =
                        new DriverBufferElement[1 + random.nextInt(guest.driver.freeDescriptors())];
                Arrays.fill(chain, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
                guest.makeAvailable(chain);
                for (int descriptor = 0; descriptor < chain.length; descriptor++) {
                    eventUsed |= slot == event;
                    slot = (slot & ~WRAP) + 1 < size ? slot + 1 : (slot & WRAP) ^ WRAP;
                }
            }

            queue.drain();

            assertEquals(eventUsed ? 1 : 0, guest.notifier.count());
        }
    }
}
