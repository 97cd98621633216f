package org.vhostuserrng.transport.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.sys.HugePages;

class PendingHugePagesTest {
    private static final long PAGE = 4096;
    private static final long LENGTH = 4 * PAGE;

    private final Queue<Runnable> executor = new ArrayDeque<>();
    private int allocations;
    private final PendingHugePages pending = new PendingHugePages(executor::add, () -> allocations++);

    private static VirtqueueAddressSpace missing(HugePages pages, MemorySegment memory) {
        VirtqueueAddressSpace addressSpace =
                VirtqueueAddressSpace.physical(GuestMemory.of(List.of(new GuestMemory.Region(0, memory, true, pages))));
        assertFalse(addressSpace.isAllocated(0, PAGE, 64));
        return addressSpace;
    }

    private static VirtqueueAddressSpace missing() {
        MemorySegment memory = Arena.ofAuto().allocate(LENGTH, PAGE);
        return missing(new HugePages(memory.address(), LENGTH, PAGE), memory);
    }

    /** At an address that is not mapped: that of a heap segment is 0. */
    private static VirtqueueAddressSpace missingForEver() {
        return missing(new HugePages(0, LENGTH, PAGE), MemorySegment.ofArray(new byte[(int) LENGTH]));
    }

    @Test
    void pagesArePendingUntilTheExecutorHasAllocatedThem() {
        pending.allocate(missing());
        boolean before = pending.arePending();

        executor.remove().run();

        assertTrue(before);
        assertFalse(pending.arePending());
        assertEquals(1, allocations);
    }

    @Test
    void allocatedPagesAreNoLongerMissing() {
        VirtqueueAddressSpace memory = missing();
        pending.allocate(memory);
        executor.remove().run();

        assertNull(pending.takeFailure());

        assertTrue(memory.isAllocated(0, PAGE, 64));
    }

    @Test
    void noOtherPagesAreAllocatedMeanwhile() {
        pending.allocate(missing());

        pending.allocate(missing());

        assertEquals(1, executor.size());
    }

    @Test
    void failureIsReportedOnce() {
        pending.allocate(missingForEver());
        executor.remove().run();

        assertNotNull(pending.takeFailure());
        assertNull(pending.takeFailure());
    }

    @Test
    void failureOfACancelledAllocationIsNotReported() {
        pending.allocate(missingForEver());

        pending.cancel();
        executor.remove().run();

        assertNull(pending.takeFailure());
    }
}
