package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The pages need not be huge for these tests. */
class HugePagesTest {
    private static final long PAGE = 4096;
    private static final long LENGTH = 16 * PAGE;

    private final MemorySegment memory = Arena.ofAuto().allocate(LENGTH, PAGE);
    private final HugePages pages = new HugePages(memory.address(), LENGTH, PAGE);

    private String allocate(HugePages of, long address, long bytes) {
        HugePages.Fault fault = of.fault(address, bytes);
        fault.run();
        return fault.finish();
    }

    @Test
    void noPageIsKnownToBeAllocatedAtFirst() {
        assertFalse(pages.areAllocated(memory.address(), 1));
    }

    @Test
    void allPagesOfARangeAreAllocated() {
        String failure = allocate(pages, memory.address() + 2 * PAGE - 1, PAGE + 2);

        assertNull(failure);
        assertTrue(pages.areAllocated(memory.address() + PAGE, 3 * PAGE));
    }

    @Test
    void pagesBesideARangeAreNotAllocated() {
        allocate(pages, memory.address() + 2 * PAGE, PAGE);

        assertFalse(pages.areAllocated(memory.address() + 2 * PAGE - 1, 1));
        assertFalse(pages.areAllocated(memory.address() + 3 * PAGE, 1));
    }

    @Test
    void aRangeIsNotAllocatedIfOneOfItsPagesIsNot() {
        allocate(pages, memory.address(), PAGE);

        assertFalse(pages.areAllocated(memory.address() + PAGE - 1, 2));
    }

    @Test
    void aFaultHasNotEndedBeforeItRuns() {
        HugePages.Fault fault = pages.fault(memory.address(), 1);

        assertFalse(fault.hasEnded());
    }

    @Test
    void pageThatCannotBeAllocatedIsReported() {
        HugePages unmapped = new HugePages(0, LENGTH, PAGE);

        String failure = allocate(unmapped, PAGE, 1);

        assertNotNull(failure);
        assertFalse(unmapped.areAllocated(PAGE, 1));
    }

    @Test
    void lastPageOfAMappingOf64TebibytesCanBeAllocated() {
        long length = 1L << 46;
        long hugePage = 1L << 21;
        HugePages large = new HugePages(memory.address() - length + hugePage, length, hugePage);

        allocate(large, memory.address(), PAGE);

        assertTrue(large.areAllocated(memory.address(), PAGE));
        assertFalse(large.areAllocated(memory.address() - 1, 1));
    }
}
