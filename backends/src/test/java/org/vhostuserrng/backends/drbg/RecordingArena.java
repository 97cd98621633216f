package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** An arena that keeps its segments accessible, so that a test can check that they were wiped. */
final class RecordingArena implements Arena {
    private final Arena memory = Arena.ofAuto();
    private final List<MemorySegment> segments = new ArrayList<>();
    private boolean closed;

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        MemorySegment segment = memory.allocate(byteSize, byteAlignment);
        segments.add(segment);
        return segment;
    }

    @Override
    public MemorySegment.Scope scope() {
        return memory.scope();
    }

    @Override
    public void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    /** Returns the segments of a size, oldest first. */
    List<MemorySegment> ofSize(long bytes) {
        return segments.stream().filter(segment -> segment.byteSize() == bytes).toList();
    }

    /** Returns whether all segments contain only zeros. */
    boolean isZero() {
        return segments.stream().allMatch(RecordingArena::isZero);
    }

    static boolean isZero(MemorySegment segment) {
        return segment.mismatch(MemorySegment.ofArray(new byte[(int) segment.byteSize()])) == -1;
    }
}
