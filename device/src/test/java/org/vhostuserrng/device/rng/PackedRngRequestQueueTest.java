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
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.device.virtqueue.PackedVirtqueue;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** What a well-behaved driver sees on a packed virtqueue (VIRTIO 1.3 §2.8). */
class PackedRngRequestQueueTest extends RngRequestQueueContract {
    private static final int WRAP = 0x8000;

    @Override
    RngTestGuest<DriverPackedRing> guest(int size, long features, GuestRateLimiter quota) {
        return RngTestGuest.packed(size, features, quota);
    }

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 255, 1000, 32767, 32768})
    void servesQueuesOfAnySizeAcrossTheEndOfTheRing(int size) {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(size, 0);
        guest.driver.reset(Math.max(0, size - 4) | WRAP);
        VirtqueueHandler queue = guest.start();

        for (int i = 0; i < 20; i++) {
            guest.offer(RngTestGuest.SEAM, 8);
            queue.drain();

            assertTrue(guest.driver.popUsed());
            assertEquals(8, guest.driver.usedLength());
        }
        assertEquals(guest.driver.vringBase(), queue.stop());
    }

    @Test
    void usesAListAcrossTheEndOfTheRing() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(5, 0);
        guest.driver.reset(3 | WRAP);
        VirtqueueHandler queue = guest.start();
        int id = guest.offer(
                DriverBufferElement.writable(RngTestGuest.BUFFERS, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 10, 10),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 20, 10));

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertEquals(id, guest.driver.usedId());
        assertEquals(30, guest.driver.usedLength());
        assertEquals(1, guest.driver.nextUsedIdx());
        assertArrayEquals(RngTestGuest.tagged(0, 30), guest.bytesAt(RngTestGuest.BUFFERS, 30));
    }

    @Test
    void servesARingThatIsFullAtOnce() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(7, 0);
        guest.driver.reset(4);
        VirtqueueHandler queue = guest.start();
        for (int i = 0; i < 7; i++) {
            guest.offer(RngTestGuest.BUFFERS, 8);
        }

        queue.drain();

        assertEquals(7, guest.takeAll());
        assertEquals(7, guest.driver.freeDescriptors());
    }

    @Test
    void makesTheFirstUsedDescriptorOfATurnVisibleLast() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
        PackedVirtqueue queue = guest.packedVirtqueue();
        ScatterGatherList chain = new ScatterGatherList();
        guest.offer(RngTestGuest.BUFFERS, 8);
        guest.offer(RngTestGuest.BUFFERS, 8);
        for (int i = 0; i < 2; i++) {
            queue.hasNext();
            queue.collect(chain);
            queue.use(8);
        }
        boolean before = guest.driver.hasUsed();

        queue.publish();

        assertFalse(before);
        assertEquals(2, guest.takeAll());
    }

    @Test
    void countsWhatIsNotVisibleYetAsNotUsed() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
        PackedVirtqueue queue = guest.packedVirtqueue();
        int base = queue.base();
        guest.offer(RngTestGuest.BUFFERS, 8);
        queue.hasNext();
        queue.collect(new ScatterGatherList());
        queue.use(8);

        assertEquals(base, queue.base());
    }

    @Test
    void ignoresAllFlagsButWriteInAnIndirectTable() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
        VirtqueueHandler queue = guest.start();
        int write = VirtioSpec.VIRTQ_DESC_F_WRITE;
        DriverPackedRing.writeDescriptor(guest.second, 0, RngTestGuest.BUFFERS, 8, 77, 0xffff);
        DriverPackedRing.writeDescriptor(guest.second, 1, RngTestGuest.BUFFERS + 8, 8, 78, write);
        guest.driver.setDescriptor(
                0, RngTestGuest.SEAM, 32, 5, VirtioSpec.VIRTQ_DESC_F_INDIRECT | write | VirtioSpec.VIRTQ_DESC_F_AVAIL);

        queue.drain();

        assertEquals(0x8001_8001, queue.stop());
        assertArrayEquals(RngTestGuest.tagged(0, 16), guest.bytesAt(RngTestGuest.BUFFERS, 16));
    }

    // §2.8.10

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 1"})
    void takesEventsThatAreNotValidForWantingInterrupts(int flags, long interrupts) {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(8, 0);
        VirtqueueHandler queue = guest.start();
        guest.driver.setDriverEvent(flags, 5 | WRAP);
        guest.offer(RngTestGuest.BUFFERS, 64);

        queue.drain();

        assertEquals(interrupts, guest.call.count());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void interruptsExactlyWhenTheDescriptorOfTheEventIsAmongThoseUsed(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            int size = 1 + random.nextInt(9);
            RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(size, VirtioSpec.VIRTIO_F_EVENT_IDX);
            int place = random.nextInt(size) | (random.nextBoolean() ? WRAP : 0);
            guest.driver.reset(place);
            VirtqueueHandler queue = guest.start();
            int event = random.nextInt(size) | (random.nextBoolean() ? WRAP : 0);
            guest.driver.setDriverEvent(VirtioSpec.RING_EVENT_FLAGS_DESC, event);
            boolean among = false;
            while (guest.driver.freeDescriptors() > 0 && random.nextInt(4) > 0) {
                DriverBufferElement[] list =
                        new DriverBufferElement[1 + random.nextInt(guest.driver.freeDescriptors())];
                Arrays.fill(list, DriverBufferElement.writable(RngTestGuest.BUFFERS, 1));
                guest.offer(list);
                for (int descriptor = 0; descriptor < list.length; descriptor++) {
                    among |= place == event;
                    place = (place & ~WRAP) + 1 < size ? place + 1 : (place & WRAP) ^ WRAP;
                }
            }

            queue.drain();

            assertEquals(among ? 1 : 0, guest.call.count());
        }
    }
}
