package org.vhostuserrng.backends.readahead;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WipingCopy;

/**
 * A block of bytes that were read ahead. Owned by one thread at a time: by the read-ahead thread while it is filled, by
 * the event loop while it is drained. The queues of {@link ReadAheadBlockPool} order the accesses.
 */
final class ReadAheadBlock {
    static final int BYTES = 4096;

    private final MemorySegment bytes = Arena.ofAuto().allocate(BYTES);
    private int readIndex;
    private int endIndex;
    /** {@link ReadAheadBlockPool} discards blocks of an earlier generation. */
    private int generation;
    /** {@link ReadAheadBlockPool} discards blocks that the producer began to fill before a discard. */
    private int discards;

    /** The memory to fill; {@link #setFilled} must follow. */
    MemorySegment memory() {
        return bytes;
    }

    /** The producer begins to fill the block after this number of discards by the consumer. */
    void beginFilling(int discardsSoFar) {
        discards = discardsSoFar;
    }

    int discards() {
        return discards;
    }

    void setFilled(int length, int newGeneration) {
        readIndex = 0;
        endIndex = length;
        generation = newGeneration;
    }

    int generation() {
        return generation;
    }

    boolean isEmpty() {
        return readIndex == endIndex;
    }

    /** Copies up to {@code length} bytes out and wipes them here, even if the copy fails. */
    int drainTo(MemorySegment target, long offset, int length) {
        int drained = Math.min(length, endIndex - readIndex);
        int start = readIndex;
        readIndex += drained;
        WipingCopy.moveAndWipe(bytes, start, target, offset, drained);
        return drained;
    }

    /** Discards and wipes the content. */
    void wipe() {
        bytes.fill((byte) 0);
        readIndex = 0;
        endIndex = 0;
    }
}
