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
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests that a malformed packed virtqueue breaks the ring before the device writes to a buffer. */
class PackedVirtqueueFaultTest {
    private static final int SIZE = 7;
    private static final int WRITE = VirtioConstants.VIRTQ_DESC_F_WRITE;
    private static final int NEXT = VirtioConstants.VIRTQ_DESC_F_NEXT;
    private static final int INDIRECT = VirtioConstants.VIRTQ_DESC_F_INDIRECT;
    private static final int AVAIL = VirtioConstants.VIRTQ_DESC_F_AVAIL;

    static Stream<Arguments> malformations() {
        return Stream.of(
                broken("a chain of more descriptors than the ring has", VirtqueueFault.CHAIN_LOOP, guest -> {
                    for (int i = 0; i < SIZE; i++) {
                        writeDescriptor(guest, i, 64, WRITE | NEXT);
                    }
                }),
                broken(
                        "a chain that continues with a used descriptor",
                        VirtqueueFault.CHAIN_UNAVAILABLE,
                        guest -> writeDescriptor(guest, 0, 64, WRITE | NEXT)),
                broken(
                        "a chain that continues with a descriptor of the other wrap counter",
                        VirtqueueFault.CHAIN_UNAVAILABLE,
                        guest -> {
                            guest.driver.setDescriptor(
                                    1, RngTestGuest.BUFFERS, 64, 0, WRITE | VirtioConstants.VIRTQ_DESC_F_USED);
                            writeDescriptor(guest, 0, 64, WRITE | NEXT);
                        }),
                broken(
                        "a device-readable buffer",
                        VirtqueueFault.DEVICE_READABLE,
                        guest -> writeDescriptor(guest, 0, 64, 0)),
                broken("a device-readable buffer after a writable one", VirtqueueFault.DEVICE_READABLE, guest -> {
                    writeDescriptor(guest, 1, 64, 0);
                    writeDescriptor(guest, 0, 64, WRITE | NEXT);
                }),
                broken(
                        "an empty buffer",
                        VirtqueueFault.NO_WRITABLE_BYTES,
                        guest -> writeDescriptor(guest, 0, 0, WRITE)),
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
                    guest.driver.setDescriptor(1, RngTestGuest.END, 1, 0, WRITE | AVAIL);
                    guest.driver.setDescriptor(0, RngTestGuest.SECOND_REGION, 100_000, 0, WRITE | NEXT | AVAIL);
                }),
                broken(
                        "an indirect table whose length is not a multiple of 16",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> writeIndirect(guest, RngTestGuest.SECOND_REGION, 17)),
                broken(
                        "an empty indirect table",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> writeIndirect(guest, RngTestGuest.SECOND_REGION, 0)),
                broken(
                        "an indirect table of 4 GiB",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> writeIndirect(guest, RngTestGuest.SECOND_REGION, -16)),
                broken(
                        "an indirect table across the end of guest memory",
                        VirtqueueFault.INDIRECT_RANGE,
                        guest -> writeIndirect(guest, RngTestGuest.END - 16, 32)),
                broken(
                        "an indirect table outside guest memory",
                        VirtqueueFault.INDIRECT_RANGE,
                        guest -> writeIndirect(guest, -16, 16)),
                broken("an indirect descriptor with VIRTQ_DESC_F_NEXT", VirtqueueFault.INDIRECT_AND_NEXT, guest -> {
                    writeDescriptor(guest, 1, 64, WRITE);
                    writeDescriptor(guest, 0, 16, INDIRECT | NEXT);
                }),
                broken("an indirect descriptor after another descriptor", VirtqueueFault.INDIRECT_IN_CHAIN, guest -> {
                    writeDescriptor(guest, 1, 16, INDIRECT);
                    writeDescriptor(guest, 0, 64, WRITE | NEXT);
                }),
                broken(
                        "an indirect table inside an indirect table, read as a device-readable buffer",
                        VirtqueueFault.DEVICE_READABLE,
                        guest -> {
                            DriverPackedRing.writeDescriptor(
                                    guest.secondRegion, 0, RngTestGuest.SECOND_REGION, 16, 0, INDIRECT);
                            writeIndirect(guest, RngTestGuest.SECOND_REGION, 16);
                        }),
                broken("an invalid buffer at the end of an indirect table", VirtqueueFault.BUFFER_RANGE, guest -> {
                    DriverPackedRing.writeDescriptor(guest.secondRegion, 0, RngTestGuest.BUFFERS, 64, 0, WRITE);
                    DriverPackedRing.writeDescriptor(guest.secondRegion, 1, RngTestGuest.END - 1, 2, 0, WRITE);
                    writeIndirect(guest, RngTestGuest.SECOND_REGION, 32);
                }),
                broken("the ring as its own indirect table", VirtqueueFault.DEVICE_READABLE, guest -> {
                    writeIndirect(guest, RngTestGuest.FIRST_REGION, 16);
                }));
    }

    private static Arguments broken(
            String name, VirtqueueFault fault, Consumer<RngTestGuest<DriverPackedRing>> malformation) {
        return Arguments.argumentSet(name, fault, malformation);
    }

    private static void writeDescriptor(RngTestGuest<DriverPackedRing> guest, int index, int length, int flags) {
        guest.driver.setDescriptor(index, RngTestGuest.BUFFERS, length, 0, flags | AVAIL);
    }

    private static void writeBufferAt(RngTestGuest<DriverPackedRing> guest, long address, int length) {
        guest.driver.setDescriptor(0, address, length, 0, WRITE | AVAIL);
    }

    private static void writeIndirect(RngTestGuest<DriverPackedRing> guest, long table, int length) {
        guest.driver.setDescriptor(0, table, length, 0, INDIRECT | AVAIL);
    }

    private static RngTestGuest<DriverPackedRing> guest() {
        return RngTestGuest.packed(SIZE, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
    }

    private static boolean anyDescriptorUsed(RngTestGuest<DriverPackedRing> guest) {
        int used = VirtioConstants.VIRTQ_DESC_F_AVAIL | VirtioConstants.VIRTQ_DESC_F_USED;
        boolean any = false;
        for (int i = 0; i < SIZE; i++) {
            any |= (guest.driver.flags(i) & used) == used;
        }
        return any;
    }

    @ParameterizedTest
    @MethodSource("malformations")
    void breaksTheRingAndWritesNothing(VirtqueueFault fault, Consumer<RngTestGuest<DriverPackedRing>> malformation) {
        RngTestGuest<DriverPackedRing> guest = guest();
        VirtqueueHandler queue = guest.start();
        malformation.accept(guest);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BROKEN, result);
        assertTrue(queue.fault().startsWith(fault.toString()), queue.fault());
        assertEquals(0, guest.source.written);
        assertFalse(anyDescriptorUsed(guest));
        assertEquals(0, guest.notifier.count());
        assertEquals(0x8000_8000, guest.stop(queue));
    }

    @Test
    void publishesTheRequestsServedBeforeTheFault() {
        RngTestGuest<DriverPackedRing> guest = guest();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);
        writeDescriptor(guest, 1, 64, 0);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.BROKEN, result);
        assertEquals(1, guest.takeAllUsed());
        assertEquals(1, guest.notifier.count());
    }

    @Test
    void breaksOnAnIndirectDescriptorWithoutTheFeature() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, 0);
        VirtqueueHandler queue = guest.start();
        writeIndirect(guest, RngTestGuest.SECOND_REGION, 16);

        queue.drain();

        assertEquals(VirtqueueFault.INDIRECT_NOT_NEGOTIATED.toString(), queue.fault());
    }

    @Test
    void fillsABufferThatOverlapsTheRing() {
        RngTestGuest<DriverPackedRing> guest = guest();
        VirtqueueHandler queue = guest.start();
        writeBufferAt(guest, RngTestGuest.FIRST_REGION + 16, 16 * (SIZE - 1));

        DrainResult result = queue.drain();

        assertEquals(16 * (SIZE - 1), guest.source.written);
        assertEquals(DrainResult.EMPTY, result);
    }
}
