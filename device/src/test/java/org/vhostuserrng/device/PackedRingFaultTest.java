package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.PackedDriverRing;
import org.vhostuserrng.transport.DeviceQueue;

/** What a hostile driver can write into a packed virtqueue: the ring breaks, and no memory has been touched. */
class PackedRingFaultTest {
    private static final int SIZE = 7;
    private static final int WRITE = Virtio.VIRTQ_DESC_F_WRITE;
    private static final int NEXT = Virtio.VIRTQ_DESC_F_NEXT;
    private static final int INDIRECT = Virtio.VIRTQ_DESC_F_INDIRECT;
    private static final int AVAIL = Virtio.VIRTQ_DESC_F_AVAIL;

    static Stream<Arguments> malformations() {
        return Stream.of(
                broken("a list of more descriptors than the ring has", RingFault.CHAIN_LOOP, guest -> {
                    for (int i = 0; i < SIZE; i++) {
                        descriptor(guest, i, 64, WRITE | NEXT);
                    }
                }),
                broken(
                        "a list that goes on with a used descriptor",
                        RingFault.CHAIN_UNAVAILABLE,
                        guest -> descriptor(guest, 0, 64, WRITE | NEXT)),
                broken(
                        "a list that goes on with a descriptor of the other round",
                        RingFault.CHAIN_UNAVAILABLE,
                        guest -> {
                            guest.driver.setDescriptor(1, Guest.BUFFERS, 64, 0, WRITE | Virtio.VIRTQ_DESC_F_USED);
                            descriptor(guest, 0, 64, WRITE | NEXT);
                        }),
                broken("a device-readable buffer", RingFault.DEVICE_READABLE, guest -> descriptor(guest, 0, 64, 0)),
                broken("a readable buffer behind a writable one", RingFault.DEVICE_READABLE, guest -> {
                    descriptor(guest, 1, 64, 0);
                    descriptor(guest, 0, 64, WRITE | NEXT);
                }),
                broken("an empty buffer", RingFault.NO_ROOM, guest -> descriptor(guest, 0, 0, WRITE)),
                broken("a buffer below memory", RingFault.BUFFER_RANGE, guest -> at(guest, Guest.BASE - 1, 64)),
                broken("a buffer above memory", RingFault.BUFFER_RANGE, guest -> at(guest, Guest.END, 1)),
                broken(
                        "a buffer across the end of memory",
                        RingFault.BUFFER_RANGE,
                        guest -> at(guest, Guest.END - 63, 64)),
                broken("a buffer of 4 GiB", RingFault.BUFFER_RANGE, guest -> at(guest, Guest.BUFFERS, -1)),
                broken("a buffer across 2^64", RingFault.BUFFER_RANGE, guest -> at(guest, -32, 64)),
                broken("a bad buffer behind more than 64 KiB of good ones", RingFault.BUFFER_RANGE, guest -> {
                    guest.driver.setDescriptor(1, Guest.END, 1, 0, WRITE | AVAIL);
                    guest.driver.setDescriptor(0, Guest.SEAM, 100_000, 0, WRITE | NEXT | AVAIL);
                }),
                broken(
                        "an indirect table that is no multiple of 16",
                        RingFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, Guest.SEAM, 17)),
                broken("an empty indirect table", RingFault.INDIRECT_LENGTH, guest -> indirect(guest, Guest.SEAM, 0)),
                broken(
                        "an indirect table of 4 GiB",
                        RingFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, Guest.SEAM, -16)),
                broken(
                        "an indirect table across the end of memory",
                        RingFault.INDIRECT_RANGE,
                        guest -> indirect(guest, Guest.END - 16, 32)),
                broken("an indirect table outside memory", RingFault.INDIRECT_RANGE, guest -> indirect(guest, -16, 16)),
                broken("an indirect descriptor with a next", RingFault.INDIRECT_AND_NEXT, guest -> {
                    descriptor(guest, 1, 64, WRITE);
                    descriptor(guest, 0, 16, INDIRECT | NEXT);
                }),
                broken("an indirect descriptor behind another", RingFault.INDIRECT_IN_CHAIN, guest -> {
                    descriptor(guest, 1, 16, INDIRECT);
                    descriptor(guest, 0, 64, WRITE | NEXT);
                }),
                broken("a table in a table, which is a readable buffer", RingFault.DEVICE_READABLE, guest -> {
                    PackedDriverRing.writeDescriptor(guest.second, 0, Guest.SEAM, 16, 0, INDIRECT);
                    indirect(guest, Guest.SEAM, 16);
                }),
                broken("a bad buffer at the end of an indirect table", RingFault.BUFFER_RANGE, guest -> {
                    PackedDriverRing.writeDescriptor(guest.second, 0, Guest.BUFFERS, 64, 0, WRITE);
                    PackedDriverRing.writeDescriptor(guest.second, 1, Guest.END - 1, 2, 0, WRITE);
                    indirect(guest, Guest.SEAM, 32);
                }),
                broken("the ring as its own indirect table", RingFault.DEVICE_READABLE, guest -> {
                    indirect(guest, Guest.BASE, 16);
                }));
    }

    private static Arguments broken(String what, RingFault fault, Consumer<Guest<PackedDriverRing>> malformation) {
        return Arguments.argumentSet(what, fault, malformation);
    }

    private static void descriptor(Guest<PackedDriverRing> guest, int index, int length, int flags) {
        guest.driver.setDescriptor(index, Guest.BUFFERS, length, 0, flags | AVAIL);
    }

    private static void at(Guest<PackedDriverRing> guest, long address, int length) {
        guest.driver.setDescriptor(0, address, length, 0, WRITE | AVAIL);
    }

    private static void indirect(Guest<PackedDriverRing> guest, long table, int length) {
        guest.driver.setDescriptor(0, table, length, 0, INDIRECT | AVAIL);
    }

    private static Guest<PackedDriverRing> guest() {
        return Guest.packed(SIZE, Virtio.VIRTIO_F_INDIRECT_DESC);
    }

    private static boolean anythingUsed(Guest<PackedDriverRing> guest) {
        int used = Virtio.VIRTQ_DESC_F_AVAIL | Virtio.VIRTQ_DESC_F_USED;
        boolean any = false;
        for (int i = 0; i < SIZE; i++) {
            any |= (guest.driver.flags(i) & used) == used;
        }
        return any;
    }

    @ParameterizedTest
    @MethodSource("malformations")
    void breaksTheRingAndWritesNothing(RingFault fault, Consumer<Guest<PackedDriverRing>> malformation) {
        Guest<PackedDriverRing> guest = guest();
        DeviceQueue queue = guest.start();
        malformation.accept(guest);

        long next = queue.drain();

        assertEquals(DeviceQueue.BROKEN, next);
        assertEquals(fault.toString(), queue.fault());
        assertEquals(0, guest.source.given);
        assertFalse(anythingUsed(guest));
        assertEquals(0, guest.call.count());
        assertEquals(0x8000_8000, queue.stop());
    }

    @Test
    void stillAnnouncesWhatWasServedBeforeTheFault() {
        Guest<PackedDriverRing> guest = guest();
        DeviceQueue queue = guest.start();
        guest.offer(Guest.BUFFERS, 64);
        descriptor(guest, 1, 64, 0);

        long next = queue.drain();

        assertEquals(DeviceQueue.BROKEN, next);
        assertEquals(1, guest.takeAll());
        assertEquals(1, guest.call.count());
    }

    @Test
    void breaksOnAnIndirectDescriptorThatWasNotNegotiated() {
        Guest<PackedDriverRing> guest = Guest.packed(SIZE, 0);
        DeviceQueue queue = guest.start();
        indirect(guest, Guest.SEAM, 16);

        queue.drain();

        assertEquals(RingFault.INDIRECT_NOT_NEGOTIATED.toString(), queue.fault());
    }

    @Test
    void fillsABufferThatIsTheRingItselfAndGoesOn() {
        Guest<PackedDriverRing> guest = guest();
        DeviceQueue queue = guest.start();
        at(guest, Guest.BASE + 16, 16 * (SIZE - 1));

        long next = queue.drain();

        assertEquals(16 * (SIZE - 1), guest.source.given);
        assertEquals(DeviceQueue.IDLE, next);
    }
}
