package org.vhostuserrng.device;

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
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.frontend.PackedDriverRing;
import org.vhostuserrng.transport.DeviceQueue;

/** What a well-behaved driver sees on a packed virtqueue (VIRTIO 1.3 §2.8). */
class PackedRngRingTest extends RngRingContract {
    private static final int WRAP = 0x8000;

    @Override
    Guest<PackedDriverRing> guest(int size, long features, Quota quota) {
        return Guest.packed(size, features, quota);
    }

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 255, 1000, 32767, 32768})
    void servesQueuesOfAnySizeAcrossTheEndOfTheRing(int size) {
        Guest<PackedDriverRing> guest = Guest.packed(size, 0);
        guest.driver.reset(Math.max(0, size - 4) | WRAP);
        DeviceQueue queue = guest.start();

        for (int i = 0; i < 20; i++) {
            guest.offer(Guest.SEAM, 8);
            queue.drain();

            assertTrue(guest.driver.takeUsed());
            assertEquals(8, guest.driver.usedLength());
        }
        assertEquals(guest.driver.base(), queue.stop());
    }

    @Test
    void usesAListAcrossTheEndOfTheRing() {
        Guest<PackedDriverRing> guest = Guest.packed(5, 0);
        guest.driver.reset(3 | WRAP);
        DeviceQueue queue = guest.start();
        int id = guest.offer(
                BufferElement.writable(Guest.BUFFERS, 10),
                BufferElement.writable(Guest.BUFFERS + 10, 10),
                BufferElement.writable(Guest.BUFFERS + 20, 10));

        queue.drain();

        assertTrue(guest.driver.takeUsed());
        assertEquals(id, guest.driver.usedId());
        assertEquals(30, guest.driver.usedLength());
        assertEquals(1, guest.driver.nextUsed());
        assertArrayEquals(Guest.tagged(0, 30), guest.bytesAt(Guest.BUFFERS, 30));
    }

    @Test
    void servesARingThatIsFullAtOnce() {
        Guest<PackedDriverRing> guest = Guest.packed(7, 0);
        guest.driver.reset(4);
        DeviceQueue queue = guest.start();
        for (int i = 0; i < 7; i++) {
            guest.offer(Guest.BUFFERS, 8);
        }

        queue.drain();

        assertEquals(7, guest.takeAll());
        assertEquals(7, guest.driver.freeDescriptors());
    }

    @Test
    void makesTheFirstUsedDescriptorOfATurnVisibleLast() {
        Guest<PackedDriverRing> guest = Guest.packed(8, 0);
        PackedVirtqueue queue = guest.packedVirtqueue();
        BufferChain chain = new BufferChain();
        guest.offer(Guest.BUFFERS, 8);
        guest.offer(Guest.BUFFERS, 8);
        for (int i = 0; i < 2; i++) {
            queue.hasNext();
            queue.collect(chain);
            queue.use(8);
        }
        boolean before = guest.driver.usedPending();

        queue.publish();

        assertFalse(before);
        assertEquals(2, guest.takeAll());
    }

    @Test
    void countsWhatIsNotVisibleYetAsNotUsed() {
        Guest<PackedDriverRing> guest = Guest.packed(8, 0);
        PackedVirtqueue queue = guest.packedVirtqueue();
        int base = queue.base();
        guest.offer(Guest.BUFFERS, 8);
        queue.hasNext();
        queue.collect(new BufferChain());
        queue.use(8);

        assertEquals(base, queue.base());
    }

    @Test
    void ignoresAllFlagsButWriteInAnIndirectTable() {
        Guest<PackedDriverRing> guest = Guest.packed(8, Virtio.VIRTIO_F_INDIRECT_DESC);
        DeviceQueue queue = guest.start();
        int write = Virtio.VIRTQ_DESC_F_WRITE;
        PackedDriverRing.writeDescriptor(guest.second, 0, Guest.BUFFERS, 8, 77, 0xffff);
        PackedDriverRing.writeDescriptor(guest.second, 1, Guest.BUFFERS + 8, 8, 78, write);
        guest.driver.setDescriptor(
                0, Guest.SEAM, 32, 5, Virtio.VIRTQ_DESC_F_INDIRECT | write | Virtio.VIRTQ_DESC_F_AVAIL);

        queue.drain();

        assertEquals(0x8001_8001, queue.stop());
        assertArrayEquals(Guest.tagged(0, 16), guest.bytesAt(Guest.BUFFERS, 16));
    }

    // §2.8.10

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 1"})
    void takesEventsThatAreNotValidForWantingInterrupts(int flags, long interrupts) {
        Guest<PackedDriverRing> guest = Guest.packed(8, 0);
        DeviceQueue queue = guest.start();
        guest.driver.setDriverEvent(flags, 5 | WRAP);
        guest.offer(Guest.BUFFERS, 64);

        queue.drain();

        assertEquals(interrupts, guest.call.count());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void interruptsExactlyWhenTheDescriptorOfTheEventIsAmongThoseUsed(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            int size = 1 + random.nextInt(9);
            Guest<PackedDriverRing> guest = Guest.packed(size, Virtio.VIRTIO_F_EVENT_IDX);
            int place = random.nextInt(size) | (random.nextBoolean() ? WRAP : 0);
            guest.driver.reset(place);
            DeviceQueue queue = guest.start();
            int event = random.nextInt(size) | (random.nextBoolean() ? WRAP : 0);
            guest.driver.setDriverEvent(Virtio.RING_EVENT_FLAGS_DESC, event);
            boolean among = false;
            while (guest.driver.freeDescriptors() > 0 && random.nextInt(4) > 0) {
                BufferElement[] list = new BufferElement[1 + random.nextInt(guest.driver.freeDescriptors())];
                Arrays.fill(list, BufferElement.writable(Guest.BUFFERS, 1));
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
