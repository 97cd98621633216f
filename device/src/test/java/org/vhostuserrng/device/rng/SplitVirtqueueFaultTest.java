package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** What a hostile driver can write into a split virtqueue: the ring breaks, and no memory has been touched. */
class SplitVirtqueueFaultTest {
    private static final int SIZE = 8;
    private static final int WRITE = VirtioSpec.VIRTQ_DESC_F_WRITE;
    private static final int NEXT = VirtioSpec.VIRTQ_DESC_F_NEXT;
    private static final int INDIRECT = VirtioSpec.VIRTQ_DESC_F_INDIRECT;

    static Stream<Arguments> malformations() {
        return Stream.of(
                broken("a head outside the table", VirtqueueFault.HEAD_RANGE, guest -> available(guest, SIZE)),
                broken("the largest head", VirtqueueFault.HEAD_RANGE, guest -> available(guest, 65535)),
                broken("a next outside the table", VirtqueueFault.NEXT_RANGE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, SIZE);
                    available(guest, 0);
                }),
                broken("a descriptor that is its own next", VirtqueueFault.CHAIN_LOOP, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 0);
                    available(guest, 0);
                }),
                broken("a loop of two", VirtqueueFault.CHAIN_LOOP, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 0);
                    available(guest, 0);
                }),
                broken("a device-readable buffer", VirtqueueFault.DEVICE_READABLE, guest -> descriptor(guest, 64, 0)),
                broken("a readable buffer behind a writable one", VirtqueueFault.DEVICE_READABLE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, RngTestGuest.BUFFERS, 64, 0, 0);
                    available(guest, 0);
                }),
                broken("an empty buffer", VirtqueueFault.NO_ROOM, guest -> descriptor(guest, 0, WRITE)),
                broken(
                        "a buffer below memory",
                        VirtqueueFault.BUFFER_RANGE,
                        guest -> at(guest, RngTestGuest.BASE - 1, 64)),
                broken("a buffer above memory", VirtqueueFault.BUFFER_RANGE, guest -> at(guest, RngTestGuest.END, 1)),
                broken(
                        "a buffer across the end of memory",
                        VirtqueueFault.BUFFER_RANGE,
                        guest -> at(guest, RngTestGuest.END - 63, 64)),
                broken("a buffer of 4 GiB", VirtqueueFault.BUFFER_RANGE, guest -> at(guest, RngTestGuest.BUFFERS, -1)),
                broken("a buffer across 2^64", VirtqueueFault.BUFFER_RANGE, guest -> at(guest, -32, 64)),
                broken("a bad buffer behind more than 64 KiB of good ones", VirtqueueFault.BUFFER_RANGE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.SEAM, 100_000, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, RngTestGuest.END, 1, WRITE, 0);
                    available(guest, 0);
                }),
                broken(
                        "an indirect table that is no multiple of 16",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, 17)),
                broken("an empty indirect table", VirtqueueFault.INDIRECT_LENGTH, guest -> indirect(guest, 0)),
                broken("an indirect table of 4 GiB", VirtqueueFault.INDIRECT_LENGTH, guest -> indirect(guest, -16)),
                broken("an indirect table outside memory", VirtqueueFault.INDIRECT_RANGE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.END - 16, 32, INDIRECT, 0);
                    available(guest, 0);
                }),
                broken("an indirect descriptor with a next", VirtqueueFault.INDIRECT_AND_NEXT, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 16, INDIRECT | NEXT, 1);
                    available(guest, 0);
                }),
                broken("an indirect table in an indirect table", VirtqueueFault.INDIRECT_NESTED, guest -> {
                    DriverSplitRing.writeDescriptor(guest.second, 0, RngTestGuest.SEAM, 16, INDIRECT, 0);
                    indirect(guest, 16);
                }),
                broken("a next outside the indirect table", VirtqueueFault.NEXT_RANGE, guest -> {
                    DriverSplitRing.writeDescriptor(guest.second, 0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 2);
                    indirect(guest, 32);
                }),
                broken("a loop in an indirect table", VirtqueueFault.CHAIN_LOOP, guest -> {
                    DriverSplitRing.writeDescriptor(guest.second, 0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 1);
                    DriverSplitRing.writeDescriptor(guest.second, 1, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 0);
                    indirect(guest, 32);
                }),
                broken("an index that jumps ahead", VirtqueueFault.INDEX_JUMP, guest -> {
                    guest.driver.addBuffer(DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));
                    guest.driver.setAvailIdx(SIZE + 1);
                }),
                broken(
                        "an index that moves back",
                        VirtqueueFault.INDEX_JUMP,
                        guest -> guest.driver.setAvailIdx(65535)));
    }

    private static Arguments broken(
            String what, VirtqueueFault fault, Consumer<RngTestGuest<DriverSplitRing>> malformation) {
        return Arguments.argumentSet(what, fault, malformation);
    }

    private static void available(RngTestGuest<DriverSplitRing> guest, int head) {
        guest.driver.setAvailEntry(0, head);
        guest.driver.setAvailIdx(1);
    }

    private static void descriptor(RngTestGuest<DriverSplitRing> guest, int length, int flags) {
        guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, length, flags, 0);
        available(guest, 0);
    }

    private static void at(RngTestGuest<DriverSplitRing> guest, long address, int length) {
        guest.driver.setDescriptor(0, address, length, WRITE, 0);
        available(guest, 0);
    }

    private static void indirect(RngTestGuest<DriverSplitRing> guest, int length) {
        guest.driver.setDescriptor(0, RngTestGuest.SEAM, length, INDIRECT, 0);
        available(guest, 0);
    }

    private static RngTestGuest<DriverSplitRing> guest() {
        return RngTestGuest.split(SIZE, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
    }

    @ParameterizedTest
    @MethodSource("malformations")
    void breaksTheRingAndWritesNothing(VirtqueueFault fault, Consumer<RngTestGuest<DriverSplitRing>> malformation) {
        RngTestGuest<DriverSplitRing> guest = guest();
        VirtqueueHandler queue = guest.start(0);
        malformation.accept(guest);

        long next = queue.drain();

        assertEquals(VirtqueueHandler.BROKEN, next);
        assertEquals(fault.toString(), queue.fault());
        assertEquals(0, guest.source.given);
        assertFalse(guest.driver.hasUsed());
        assertEquals(0, guest.call.count());
    }

    @Test
    void stillAnnouncesWhatWasServedBeforeTheFault() {
        RngTestGuest<DriverSplitRing> guest = guest();
        VirtqueueHandler queue = guest.start(0);
        guest.offer(RngTestGuest.BUFFERS, 64);
        guest.driver.setAvailEntry(1, 65535);
        guest.driver.setAvailIdx(2);

        long next = queue.drain();

        assertEquals(VirtqueueHandler.BROKEN, next);
        assertEquals(1, guest.driver.usedIdx());
        assertEquals(1, guest.call.count());
    }

    @Test
    void breaksOnAnIndirectDescriptorThatWasNotNegotiated() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(SIZE, 0);
        VirtqueueHandler queue = guest.start(0);
        indirect(guest, 16);

        queue.drain();

        assertEquals(VirtqueueFault.INDIRECT_NOT_NEGOTIATED.toString(), queue.fault());
    }
}
