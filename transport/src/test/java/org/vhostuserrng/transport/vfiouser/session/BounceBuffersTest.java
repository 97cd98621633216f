package org.vhostuserrng.transport.vfiouser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.sys.AnonymousMapping;

class BounceBuffersTest {
    private static final long SHARED = 0x100000;

    private final AnonymousMapping pages = create();
    private final MemorySegment copy = pages.segment();
    private final MemorySegment shared = Arena.ofAuto().allocate(0x1000);
    private final GuestMemory memory =
            GuestMemory.of(List.of(GuestMemory.Region.copy(0, copy), new GuestMemory.Region(SHARED, shared, false)));
    private final BounceBuffers buffers = new BounceBuffers(memory);

    @AfterEach
    void close() {
        buffers.close();
        pages.close();
    }

    private static AnonymousMapping create() {
        try {
            return AnonymousMapping.create(0x40000, Runnable::run).open();
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    private boolean isZero(MemorySegment segment) {
        return segment.mismatch(Arena.ofAuto().allocate(segment.byteSize())) < 0;
    }

    private boolean hasRange() {
        return buffers.writeNext(new DmaTransfer(null, memory));
    }

    @Test
    void wipesTheCopyAtOnce() {
        copy.asSlice(0x800, 0x20000).fill((byte) 7);

        buffers.bufferWritten(0x800, 0x20000);

        assertTrue(isZero(copy));
        assertTrue(hasRange());
    }

    @Test
    void ignoresBuffersInMappedRegions() {
        shared.fill((byte) 7);

        buffers.bufferWritten(SHARED, 16);

        assertEquals(7, shared.get(ValueLayout.JAVA_BYTE, 0));
        assertFalse(hasRange());
    }

    @Test
    void joinsAdjacentRanges() {
        buffers.bufferWritten(0x100, 16);
        buffers.bufferWritten(0x110, 16);
        buffers.bufferWritten(0x200, 16);

        assertTrue(hasRange());
        assertTrue(hasRange());
        assertFalse(hasRange());
    }

    @Test
    void hasNoRangesAfterItWasWiped() {
        buffers.bufferWritten(0x100, 16);

        buffers.wipe();

        assertFalse(hasRange());
    }
}
