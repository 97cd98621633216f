package org.vhostuserrng.transport.vfiouser.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A buffer for messages that grows when a long one arrives. Confined to the loop's thread. */
final class MessageBuffer implements AutoCloseable {
    /** Enough for all messages of QEMU but the reply that contains a whole configuration space. */
    static final int INITIAL_BYTES = 512;

    /** Where discarded bytes are received, of any thread. Never read. */
    static final MemorySegment DISCARDED = Arena.global().allocate(65536);

    /** Views of one word, by the logarithm of their length, because a view of any other length is allocated. */
    private static final int VIEWS = 4;

    private final Arena wordArena = Arena.ofConfined();
    private final MemorySegment word = wordArena.allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment[] views = new MemorySegment[VIEWS];
    private Arena arena = Arena.ofConfined();
    private MemorySegment segment = arena.allocate(INITIAL_BYTES, Long.BYTES);

    MessageBuffer() {
        for (int i = 0; i < VIEWS; i++) {
            views[i] = word.asSlice(0, 1L << i);
        }
    }

    MemorySegment segment() {
        return segment;
    }

    /** Moves bytes to the beginning of the buffer, and gives it at least a size. */
    void moveToBegin(int from, int length, int size) {
        if (size <= segment.byteSize()) {
            MemorySegment.copy(segment, from, segment, 0, length);
            return;
        }
        Arena larger = Arena.ofConfined();
        MemorySegment moved = larger.allocate(size, Long.BYTES);
        MemorySegment.copy(segment, from, moved, 0, length);
        arena.close();
        arena = larger;
        segment = moved;
    }

    /** Fills the first bytes with zeros, and gives the buffer at least that size. */
    void clear(int size) {
        moveToBegin(0, 0, size);
        segment.asSlice(0, size).fill((byte) 0);
    }

    /** A part of the buffer, or a copy of it; valid until the next call. */
    MemorySegment view(long offset, int length) {
        if (Integer.bitCount(length) != 1 || length > Long.BYTES) {
            return segment.asSlice(offset, length);
        }
        MemorySegment.copy(segment, offset, word, 0, length);
        return views[Integer.numberOfTrailingZeros(length)];
    }

    @Override
    public void close() {
        arena.close();
        wordArena.close();
    }
}
