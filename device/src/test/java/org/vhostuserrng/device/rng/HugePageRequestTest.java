package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.sys.HugePages;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Guest memory of huge pages that the host has not allocated, with a virtqueue of either format. */
class HugePageRequestTest {
    /** The size of a huge page in these tests. */
    private static final long PAGE = 1 << 16;

    private static final long BOUNDARY = RngTestGuest.SECOND_REGION + PAGE;

    /** A guest whose second region consists of huge pages. */
    private static RngTestGuest<?> guest(boolean packed) {
        RngTestGuest<?> guest = RngTestGuest.of(packed, 8, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
        guest.secondRegionPages = new HugePages(guest.secondRegion.address(), RngTestGuest.REGION_BYTES, PAGE);
        return guest;
    }

    /** Allocates the missing pages, as the transport does. */
    private static void allocateMissing(RngTestGuest<?> guest) {
        HugePages.Fault fault = guest.memory().hugePageFault();
        fault.run();
        assertNull(fault.finish());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestForAPageThatIsNotAllocatedStaysAvailable(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(DriverBufferElement.writable(BOUNDARY, 64));

        DrainResult result = queue.drain();

        assertEquals(DrainResult.HUGE_PAGE_MISS, result);
        assertFalse(guest.driver.hasUsed());
        assertTrue(queue.hasPending());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestIsServedOnceItsPagesAreAllocated(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(DriverBufferElement.writable(BOUNDARY - 32, 64));
        queue.drain();

        allocateMissing(guest);
        DrainResult result = queue.drain();

        assertEquals(DrainResult.EMPTY, result);
        assertTrue(guest.driver.popUsed());
        assertEquals(64, guest.driver.usedLength());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void earlierRequestsAreServedMeanwhile(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));
        guest.makeAvailable(DriverBufferElement.writable(BOUNDARY, 64));

        queue.drain();

        assertTrue(guest.driver.popUsed());
        assertFalse(guest.driver.hasUsed());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableInAPageThatIsNotAllocatedIsNotRead(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        VirtqueueHandler queue = guest.start();
        int id = guest.driver.addIndirectBuffer(
                guest.secondRegion, RngTestGuest.SECOND_REGION, DriverBufferElement.writable(RngTestGuest.BUFFERS, 64));
        guest.driver.makeAvailable(id);

        DrainResult result = queue.drain();
        allocateMissing(guest);
        queue.drain();

        assertEquals(DrainResult.HUGE_PAGE_MISS, result);
        assertTrue(guest.driver.popUsed());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void virtqueueInAPageThatIsNotAllocatedDoesNotStart(boolean packed) {
        RngTestGuest<?> guest = guest(packed);
        guest.firstRegionPages = new HugePages(guest.firstRegion.address(), RngTestGuest.REGION_BYTES, PAGE);

        assertThrows(MemoryNotReadyException.class, () -> guest.device.start(guest.config(guest.driver.vringBase())));

        assertTrue(guest.memory().isHugePageMissing());
    }
}
