package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.device.virtqueue.VirtqueueFault;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests guest memory that the device cannot access: requests in other memory are served, and a request in it breaks the
 * virtqueue.
 */
class InaccessibleRegionTest {
    private static final long INACCESSIBLE = RngTestGuest.END;
    private static final String REGION = "memory region 100200000 to 100200fff, which is not accessible: it is a pipe";

    private static RngTestGuest<?> guest(boolean packed) {
        return RngTestGuest.of(packed, 8, VirtioConstants.VIRTIO_F_INDIRECT_DESC)
                .besideInaccessibleRegion();
    }

    private static void assertBroken(
            RngTestGuest<?> guest, VirtqueueHandler queue, VirtqueueFault fault, long guestAddress) {
        assertEquals(DrainResult.BROKEN, queue.drain());
        assertEquals(fault + ": guest address " + Long.toHexString(guestAddress) + " is in " + REGION, queue.fault());
        assertEquals(0, guest.source.written);
        assertFalse(guest.driver.hasUsed());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void servesOtherMemory(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, 64);

        DrainResult result = queue.drain();

        assertEquals(DrainResult.EMPTY, result);
        assertTrue(guest.driver.popUsed());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnABufferInTheRegion(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(INACCESSIBLE + 16, 64);

        assertBroken(guest, queue, VirtqueueFault.BUFFER_INACCESSIBLE, INACCESSIBLE + 16);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnABufferThatContinuesInTheRegion(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(INACCESSIBLE - 16, 64);

        assertBroken(guest, queue, VirtqueueFault.BUFFER_INACCESSIBLE, INACCESSIBLE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnAnIndirectTableInTheRegion(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.driver.makeAvailable(guest.driver.addIndirectBuffer(
                guest.secondRegion, INACCESSIBLE, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64)));

        assertBroken(guest, queue, VirtqueueFault.INDIRECT_INACCESSIBLE, INACCESSIBLE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breaksOnATranslationIntoTheRegion(boolean packed) {
        RngTestGuest<?> guest = guest(packed).behindIommu();
        VirtqueueHandler queue = guest.start();
        guest.map(INACCESSIBLE, INACCESSIBLE, Iotlb.READ | Iotlb.WRITE);
        guest.makeAvailable(INACCESSIBLE, 64);

        assertBroken(guest, queue, VirtqueueFault.BUFFER_INACCESSIBLE, INACCESSIBLE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void doesNotStartAVirtqueueInTheRegion(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueConfig valid = guest.config(guest.driver.vringBase());
        VirtqueueAddressSpace memory = valid.memory();
        VirtqueueConfig moved = new VirtqueueConfig(
                0,
                valid.size(),
                valid.position(),
                valid.features(),
                new VirtqueueConfig.Areas(
                        INACCESSIBLE, valid.areas().driverArea(), valid.areas().deviceArea()),
                memory,
                valid.notifier(),
                valid.dirtyLogger(),
                valid.clock(),
                null,
                null);

        InvalidVirtqueueException refused =
                assertThrows(InvalidVirtqueueException.class, () -> guest.device.start(moved));

        assertTrue(memory.isInaccessible());
        assertTrue(refused.getMessage().endsWith(REGION), refused.getMessage());
    }
}
