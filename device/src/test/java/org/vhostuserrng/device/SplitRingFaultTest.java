package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.frontend.SplitDriverRing;
import org.vhostuserrng.transport.DeviceQueue;

/** What a hostile driver can write into a split virtqueue: the ring breaks, and no memory has been touched. */
class SplitRingFaultTest {
    private static final int SIZE = 8;
    private static final int WRITE = Virtio.VIRTQ_DESC_F_WRITE;
    private static final int NEXT = Virtio.VIRTQ_DESC_F_NEXT;
    private static final int INDIRECT = Virtio.VIRTQ_DESC_F_INDIRECT;

    static Stream<Arguments> malformations() {
        return Stream.of(
                broken("a head outside the table", RingFault.HEAD_RANGE, guest -> available(guest, SIZE)),
                broken("the largest head", RingFault.HEAD_RANGE, guest -> available(guest, 65535)),
                broken("a next outside the table", RingFault.NEXT_RANGE, guest -> {
                    guest.driver.setDescriptor(0, Guest.BUFFERS, 64, WRITE | NEXT, SIZE);
                    available(guest, 0);
                }),
                broken("a descriptor that is its own next", RingFault.CHAIN_LOOP, guest -> {
                    guest.driver.setDescriptor(0, Guest.BUFFERS, 64, WRITE | NEXT, 0);
                    available(guest, 0);
                }),
                broken("a loop of two", RingFault.CHAIN_LOOP, guest -> {
                    guest.driver.setDescriptor(0, Guest.BUFFERS, 64, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, Guest.BUFFERS, 64, WRITE | NEXT, 0);
                    available(guest, 0);
                }),
                broken("a device-readable buffer", RingFault.DEVICE_READABLE, guest -> descriptor(guest, 64, 0)),
                broken("a readable buffer behind a writable one", RingFault.DEVICE_READABLE, guest -> {
                    guest.driver.setDescriptor(0, Guest.BUFFERS, 64, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, Guest.BUFFERS, 64, 0, 0);
                    available(guest, 0);
                }),
                broken("an empty buffer", RingFault.NO_ROOM, guest -> descriptor(guest, 0, WRITE)),
                broken("a buffer below memory", RingFault.BUFFER_RANGE, guest -> at(guest, Guest.BASE - 1, 64)),
                broken("a buffer above memory", RingFault.BUFFER_RANGE, guest -> at(guest, Guest.END, 1)),
                broken(
                        "a buffer across the end of memory",
                        RingFault.BUFFER_RANGE,
                        guest -> at(guest, Guest.END - 63, 64)),
                broken("a buffer of 4 GiB", RingFault.BUFFER_RANGE, guest -> at(guest, Guest.BUFFERS, -1)),
                broken("a buffer across 2^64", RingFault.BUFFER_RANGE, guest -> at(guest, -32, 64)),
                broken("a bad buffer behind more than 64 KiB of good ones", RingFault.BUFFER_RANGE, guest -> {
                    guest.driver.setDescriptor(0, Guest.SEAM, 100_000, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, Guest.END, 1, WRITE, 0);
                    available(guest, 0);
                }),
                broken(
                        "an indirect table that is no multiple of 16",
                        RingFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, 17)),
                broken("an empty indirect table", RingFault.INDIRECT_LENGTH, guest -> indirect(guest, 0)),
                broken("an indirect table of 4 GiB", RingFault.INDIRECT_LENGTH, guest -> indirect(guest, -16)),
                broken("an indirect table outside memory", RingFault.INDIRECT_RANGE, guest -> {
                    guest.driver.setDescriptor(0, Guest.END - 16, 32, INDIRECT, 0);
                    available(guest, 0);
                }),
                broken("an indirect descriptor with a next", RingFault.INDIRECT_AND_NEXT, guest -> {
                    guest.driver.setDescriptor(0, Guest.BUFFERS, 16, INDIRECT | NEXT, 1);
                    available(guest, 0);
                }),
                broken("an indirect table in an indirect table", RingFault.INDIRECT_NESTED, guest -> {
                    SplitDriverRing.writeDescriptor(guest.second, 0, Guest.SEAM, 16, INDIRECT, 0);
                    indirect(guest, 16);
                }),
                broken("a next outside the indirect table", RingFault.NEXT_RANGE, guest -> {
                    SplitDriverRing.writeDescriptor(guest.second, 0, Guest.BUFFERS, 64, WRITE | NEXT, 2);
                    indirect(guest, 32);
                }),
                broken("a loop in an indirect table", RingFault.CHAIN_LOOP, guest -> {
                    SplitDriverRing.writeDescriptor(guest.second, 0, Guest.BUFFERS, 64, WRITE | NEXT, 1);
                    SplitDriverRing.writeDescriptor(guest.second, 1, Guest.BUFFERS, 64, WRITE | NEXT, 0);
                    indirect(guest, 32);
                }),
                broken("an index that jumps ahead", RingFault.INDEX_JUMP, guest -> {
                    guest.driver.add(BufferElement.writable(Guest.BUFFERS, 64));
                    guest.driver.setAvailableIndex(SIZE + 1);
                }),
                broken(
                        "an index that moves back",
                        RingFault.INDEX_JUMP,
                        guest -> guest.driver.setAvailableIndex(65535)));
    }

    private static Arguments broken(String what, RingFault fault, Consumer<Guest<SplitDriverRing>> malformation) {
        return Arguments.argumentSet(what, fault, malformation);
    }

    private static void available(Guest<SplitDriverRing> guest, int head) {
        guest.driver.setAvailableEntry(0, head);
        guest.driver.setAvailableIndex(1);
    }

    private static void descriptor(Guest<SplitDriverRing> guest, int length, int flags) {
        guest.driver.setDescriptor(0, Guest.BUFFERS, length, flags, 0);
        available(guest, 0);
    }

    private static void at(Guest<SplitDriverRing> guest, long address, int length) {
        guest.driver.setDescriptor(0, address, length, WRITE, 0);
        available(guest, 0);
    }

    private static void indirect(Guest<SplitDriverRing> guest, int length) {
        guest.driver.setDescriptor(0, Guest.SEAM, length, INDIRECT, 0);
        available(guest, 0);
    }

    private static Guest<SplitDriverRing> guest() {
        return Guest.split(SIZE, Virtio.VIRTIO_F_INDIRECT_DESC);
    }

    @ParameterizedTest
    @MethodSource("malformations")
    void breaksTheRingAndWritesNothing(RingFault fault, Consumer<Guest<SplitDriverRing>> malformation) {
        Guest<SplitDriverRing> guest = guest();
        DeviceQueue queue = guest.start(0);
        malformation.accept(guest);

        long next = queue.drain();

        assertEquals(DeviceQueue.BROKEN, next);
        assertEquals(fault.toString(), queue.fault());
        assertEquals(0, guest.source.given);
        assertFalse(guest.driver.usedPending());
        assertEquals(0, guest.call.count());
    }

    @Test
    void stillAnnouncesWhatWasServedBeforeTheFault() {
        Guest<SplitDriverRing> guest = guest();
        DeviceQueue queue = guest.start(0);
        guest.offer(Guest.BUFFERS, 64);
        guest.driver.setAvailableEntry(1, 65535);
        guest.driver.setAvailableIndex(2);

        long next = queue.drain();

        assertEquals(DeviceQueue.BROKEN, next);
        assertEquals(1, guest.driver.usedIndex());
        assertEquals(1, guest.call.count());
    }

    @Test
    void breaksOnAnIndirectDescriptorThatWasNotNegotiated() {
        Guest<SplitDriverRing> guest = Guest.split(SIZE, 0);
        DeviceQueue queue = guest.start(0);
        indirect(guest, 16);

        queue.drain();

        assertEquals(RingFault.INDIRECT_NOT_NEGOTIATED.toString(), queue.fault());
    }
}
