package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverPackedRing;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioSpec;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** What a hostile driver can write into a packed virtqueue: the ring breaks, and no memory has been touched. */
class PackedVirtqueueFaultTest {
    private static final int SIZE = 7;
    private static final int WRITE = VirtioSpec.VIRTQ_DESC_F_WRITE;
    private static final int NEXT = VirtioSpec.VIRTQ_DESC_F_NEXT;
    private static final int INDIRECT = VirtioSpec.VIRTQ_DESC_F_INDIRECT;
    private static final int AVAIL = VirtioSpec.VIRTQ_DESC_F_AVAIL;

    static Stream<Arguments> malformations() {
        return Stream.of(
                broken("a list of more descriptors than the ring has", VirtqueueFault.CHAIN_LOOP, guest -> {
                    for (int i = 0; i < SIZE; i++) {
                        descriptor(guest, i, 64, WRITE | NEXT);
                    }
                }),
                broken(
                        "a list that goes on with a used descriptor",
                        VirtqueueFault.CHAIN_UNAVAILABLE,
                        guest -> descriptor(guest, 0, 64, WRITE | NEXT)),
                broken(
                        "a list that goes on with a descriptor of the other round",
                        VirtqueueFault.CHAIN_UNAVAILABLE,
                        guest -> {
                            guest.driver.setDescriptor(
                                    1, RngTestGuest.BUFFERS, 64, 0, WRITE | VirtioSpec.VIRTQ_DESC_F_USED);
                            descriptor(guest, 0, 64, WRITE | NEXT);
                        }),
                broken(
                        "a device-readable buffer",
                        VirtqueueFault.DEVICE_READABLE,
                        guest -> descriptor(guest, 0, 64, 0)),
                broken("a readable buffer behind a writable one", VirtqueueFault.DEVICE_READABLE, guest -> {
                    descriptor(guest, 1, 64, 0);
                    descriptor(guest, 0, 64, WRITE | NEXT);
                }),
                broken("an empty buffer", VirtqueueFault.NO_WRITABLE_BYTES, guest -> descriptor(guest, 0, 0, WRITE)),
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
                    guest.driver.setDescriptor(1, RngTestGuest.END, 1, 0, WRITE | AVAIL);
                    guest.driver.setDescriptor(0, RngTestGuest.SEAM, 100_000, 0, WRITE | NEXT | AVAIL);
                }),
                broken(
                        "an indirect table that is no multiple of 16",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, RngTestGuest.SEAM, 17)),
                broken(
                        "an empty indirect table",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, RngTestGuest.SEAM, 0)),
                broken(
                        "an indirect table of 4 GiB",
                        VirtqueueFault.INDIRECT_LENGTH,
                        guest -> indirect(guest, RngTestGuest.SEAM, -16)),
                broken(
                        "an indirect table across the end of memory",
                        VirtqueueFault.INDIRECT_RANGE,
                        guest -> indirect(guest, RngTestGuest.END - 16, 32)),
                broken(
                        "an indirect table outside memory",
                        VirtqueueFault.INDIRECT_RANGE,
                        guest -> indirect(guest, -16, 16)),
                broken("an indirect descriptor with a next", VirtqueueFault.INDIRECT_AND_NEXT, guest -> {
                    descriptor(guest, 1, 64, WRITE);
                    descriptor(guest, 0, 16, INDIRECT | NEXT);
                }),
                broken("an indirect descriptor behind another", VirtqueueFault.INDIRECT_IN_CHAIN, guest -> {
                    descriptor(guest, 1, 16, INDIRECT);
                    descriptor(guest, 0, 64, WRITE | NEXT);
                }),
                broken("a table in a table, which is a readable buffer", VirtqueueFault.DEVICE_READABLE, guest -> {
                    DriverPackedRing.writeDescriptor(guest.second, 0, RngTestGuest.SEAM, 16, 0, INDIRECT);
                    indirect(guest, RngTestGuest.SEAM, 16);
                }),
                broken("a bad buffer at the end of an indirect table", VirtqueueFault.BUFFER_RANGE, guest -> {
                    DriverPackedRing.writeDescriptor(guest.second, 0, RngTestGuest.BUFFERS, 64, 0, WRITE);
                    DriverPackedRing.writeDescriptor(guest.second, 1, RngTestGuest.END - 1, 2, 0, WRITE);
                    indirect(guest, RngTestGuest.SEAM, 32);
                }),
                broken("the ring as its own indirect table", VirtqueueFault.DEVICE_READABLE, guest -> {
                    indirect(guest, RngTestGuest.BASE, 16);
                }));
    }

    private static Arguments broken(
            String what, VirtqueueFault fault, Consumer<RngTestGuest<DriverPackedRing>> malformation) {
        return Arguments.argumentSet(what, fault, malformation);
    }

    private static void descriptor(RngTestGuest<DriverPackedRing> guest, int index, int length, int flags) {
        guest.driver.setDescriptor(index, RngTestGuest.BUFFERS, length, 0, flags | AVAIL);
    }

    private static void at(RngTestGuest<DriverPackedRing> guest, long address, int length) {
        guest.driver.setDescriptor(0, address, length, 0, WRITE | AVAIL);
    }

    private static void indirect(RngTestGuest<DriverPackedRing> guest, long table, int length) {
        guest.driver.setDescriptor(0, table, length, 0, INDIRECT | AVAIL);
    }

    private static RngTestGuest<DriverPackedRing> guest() {
        return RngTestGuest.packed(SIZE, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
    }

    private static boolean anythingUsed(RngTestGuest<DriverPackedRing> guest) {
        int used = VirtioSpec.VIRTQ_DESC_F_AVAIL | VirtioSpec.VIRTQ_DESC_F_USED;
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

        DrainResult next = queue.drain();

        assertEquals(DrainResult.BROKEN, next);
        assertEquals(fault.toString(), queue.fault());
        assertEquals(0, guest.source.given);
        assertFalse(anythingUsed(guest));
        assertEquals(0, guest.notifier.count());
        assertEquals(0x8000_8000, guest.stop(queue));
    }

    @Test
    void stillAnnouncesWhatWasServedBeforeTheFault() {
        RngTestGuest<DriverPackedRing> guest = guest();
        VirtqueueHandler queue = guest.start();
        guest.offer(RngTestGuest.BUFFERS, 64);
        descriptor(guest, 1, 64, 0);

        DrainResult next = queue.drain();

        assertEquals(DrainResult.BROKEN, next);
        assertEquals(1, guest.takeAll());
        assertEquals(1, guest.notifier.count());
    }

    @Test
    void breaksOnAnIndirectDescriptorThatWasNotNegotiated() {
        RngTestGuest<DriverPackedRing> guest = RngTestGuest.packed(SIZE, 0);
        VirtqueueHandler queue = guest.start();
        indirect(guest, RngTestGuest.SEAM, 16);

        queue.drain();

        assertEquals(VirtqueueFault.INDIRECT_NOT_NEGOTIATED.toString(), queue.fault());
    }

    @Test
    void fillsABufferThatIsTheRingItselfAndGoesOn() {
        RngTestGuest<DriverPackedRing> guest = guest();
        VirtqueueHandler queue = guest.start();
        at(guest, RngTestGuest.BASE + 16, 16 * (SIZE - 1));

        DrainResult next = queue.drain();

        assertEquals(16 * (SIZE - 1), guest.source.given);
        assertEquals(DrainResult.EMPTY, next);
    }
}
