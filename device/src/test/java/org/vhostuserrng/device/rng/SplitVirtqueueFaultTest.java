package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests that a malformed split virtqueue breaks the ring before the device writes to a buffer. */
class SplitVirtqueueFaultTest {
    private static final int SIZE = 8;
    private static final int WRITE = VirtioConstants.VIRTQ_DESC_F_WRITE;
    private static final int NEXT = VirtioConstants.VIRTQ_DESC_F_NEXT;
    private static final int INDIRECT = VirtioConstants.VIRTQ_DESC_F_INDIRECT;

    static Stream<Arguments> malformations() {
        return Stream.of(
                broken(
                        "a head outside the descriptor table",
                        VirtqueueFault.HEAD_RANGE,
                        guest -> makeHeadAvailable(guest, SIZE)),
                broken("the largest head", VirtqueueFault.HEAD_RANGE, guest -> makeHeadAvailable(guest, 65535)),
                broken("a next field outside the descriptor table", VirtqueueFault.NEXT_RANGE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, SIZE);
                    makeHeadAvailable(guest, 0);
                }),
                broken("a descriptor whose next field refers to itself", VirtqueueFault.CHAIN_LOOP, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 0);
                    makeHeadAvailable(guest, 0);
                }),
                broken("a loop of two descriptors", VirtqueueFault.CHAIN_LOOP, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 0);
                    makeHeadAvailable(guest, 0);
                }),
                broken(
                        "a device-readable buffer",
                        VirtqueueFault.DEVICE_READABLE,
                        guest -> writeDescriptor(guest, 64, 0)),
                broken("a device-readable buffer after a writable one", VirtqueueFault.DEVICE_READABLE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, RngTestGuest.BUFFERS, 64, 0, 0);
                    makeHeadAvailable(guest, 0);
                }),
                broken("an empty buffer", VirtqueueFault.NO_WRITABLE_BYTES, guest -> writeDescriptor(guest, 0, WRITE)),
                broken(
                        "a buffer before guest memory",
                        VirtqueueFault.BUFFER_RANGE,
                        guest -> writeBufferAt(guest, RngTestGuest.FIRST_REGION - 1, 64)),
                broken(
                        "a buffer after guest memory",
                        VirtqueueFault.BUFFER_RANGE,
                        guest -> writeBufferAt(guest, RngTestGuest.END, 1)),
                broken(
                        "a buffer across the end of guest memory",
                        VirtqueueFault.BUFFER_RANGE,
                        guest -> writeBufferAt(guest, RngTestGuest.END - 63, 64)),
                broken(
                        "a buffer of 4 GiB",
                        VirtqueueFault.BUFFER_RANGE,
                        guest -> writeBufferAt(guest, RngTestGuest.BUFFERS, -1)),
                broken("a buffer across 2^64", VirtqueueFault.BUFFER_RANGE, guest -> writeBufferAt(guest, -32, 64)),
                broken("an invalid buffer after more than 64 KiB of valid ones", VirtqueueFault.BUFFER_RANGE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.SECOND_REGION, 100_000, WRITE | NEXT, 1);
                    guest.driver.setDescriptor(1, RngTestGuest.END, 1, WRITE, 0);
                    makeHeadAvailable(guest, 0);
                }),
                broken(
                        "an indirect table whose length is not a multiple of 16",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> writeIndirect(guest, 17)),
                broken("an empty indirect table", VirtqueueFault.INDIRECT_LENGTH, guest -> writeIndirect(guest, 0)),
                broken(
                        "an indirect table of 4 GiB",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> writeIndirect(guest, -16)),
                broken("an indirect table outside guest memory", VirtqueueFault.INDIRECT_RANGE, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.END - 16, 32, INDIRECT, 0);
                    makeHeadAvailable(guest, 0);
                }),
                broken("an indirect descriptor with VIRTQ_DESC_F_NEXT", VirtqueueFault.INDIRECT_AND_NEXT, guest -> {
                    guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, 16, INDIRECT | NEXT, 1);
                    makeHeadAvailable(guest, 0);
                }),
                broken("an indirect descriptor inside an indirect table", VirtqueueFault.INDIRECT_NESTED, guest -> {
                    DriverSplitRing.writeDescriptor(guest.secondRegion, 0, RngTestGuest.SECOND_REGION, 16, INDIRECT, 0);
                    writeIndirect(guest, 16);
                }),
                broken("a next field outside the indirect table", VirtqueueFault.NEXT_RANGE, guest -> {
                    DriverSplitRing.writeDescriptor(guest.secondRegion, 0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 2);
                    writeIndirect(guest, 32);
                }),
                broken("a loop inside an indirect table", VirtqueueFault.CHAIN_LOOP, guest -> {
                    DriverSplitRing.writeDescriptor(guest.secondRegion, 0, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 1);
                    DriverSplitRing.writeDescriptor(guest.secondRegion, 1, RngTestGuest.BUFFERS, 64, WRITE | NEXT, 0);
                    writeIndirect(guest, 32);
                }),
                broken(
                        "an available index that is ahead by more than the queue size",
                        VirtqueueFault.INDEX_JUMP,
                        guest -> {
                            guest.driver.addBuffer(DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));
                            guest.driver.setAvailIdx(SIZE + 1);
                        }),
                broken(
                        "an available index that moves backwards",
                        VirtqueueFault.INDEX_JUMP,
                        guest -> guest.driver.setAvailIdx(65535)));
    }

    private static Arguments broken(
            String name, VirtqueueFault fault, Consumer<RngTestGuest<DriverSplitRing>> malformation) {
        return Arguments.argumentSet(name, fault, malformation);
    }

    private static void makeHeadAvailable(RngTestGuest<DriverSplitRing> guest, int head) {
        guest.driver.setAvailEntry(0, head);
        guest.driver.setAvailIdx(1);
    }

    private static void writeDescriptor(RngTestGuest<DriverSplitRing> guest, int length, int flags) {
        guest.driver.setDescriptor(0, RngTestGuest.BUFFERS, length, flags, 0);
        makeHeadAvailable(guest, 0);
    }

    private static void writeBufferAt(RngTestGuest<DriverSplitRing> guest, long address, int length) {
        guest.driver.setDescriptor(0, address, length, WRITE, 0);
        makeHeadAvailable(guest, 0);
    }

    private static void writeIndirect(RngTestGuest<DriverSplitRing> guest, int length) {
        guest.driver.setDescriptor(0, RngTestGuest.SECOND_REGION, length, INDIRECT, 0);
        makeHeadAvailable(guest, 0);
    }

    private static RngTestGuest<DriverSplitRing> guest() {
        return RngTestGuest.split(SIZE, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
    }

    @ParameterizedTest
    @MethodSource("malformations")
    void breaksTheRingAndWritesNothing(VirtqueueFault fault, Consumer<RngTestGuest<DriverSplitRing>> malformation) {
        RngTestGuest<DriverSplitRing> guest = guest();
        VirtqueueHandler queue = guest.start(0);
        malformation.accept(guest);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BROKEN, result);
        assertTrue(queue.fault().startsWith(fault.toString()), queue.fault());
        assertEquals(0, guest.source.written);
        assertFalse(guest.driver.hasUsed());
        assertEquals(0, guest.notifier.count());
    }

    @Test
    void publishesTheRequestsServedBeforeTheFault() {
        RngTestGuest<DriverSplitRing> guest = guest();
        VirtqueueHandler queue = guest.start(0);
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        guest.driver.setAvailEntry(1, 65535);
        guest.driver.setAvailIdx(2);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BROKEN, result);
        assertEquals(1, guest.driver.usedIdx());
        assertEquals(1, guest.notifier.count());
    }

    @Test
    void breaksOnAnIndirectDescriptorWithoutTheFeature() {
        RngTestGuest<DriverSplitRing> guest = RngTestGuest.split(SIZE, 0);
        VirtqueueHandler queue = guest.start(0);
        writeIndirect(guest, 16);

        queue.drain();

        assertEquals(VirtqueueFault.INDIRECT_NOT_NEGOTIATED.toString(), queue.fault());
    }
}
