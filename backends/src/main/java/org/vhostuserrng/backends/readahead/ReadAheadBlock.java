package org.vhostuserrng.backends.readahead;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WipingCopy;

/**
 * A block of bytes that were read ahead. One thread owns it at a time: the read-ahead thread while it is filled, the
 * event loop's thread while it is drained. The queues of {@link ReadAheadBlockPool} order the accesses.
 */
final class ReadAheadBlock {
    static final int BYTES = 4096;

    private final MemorySegment bytes = Arena.ofAuto().allocate(BYTES);
    private int readIndex;
    private int endIndex;
    /**
     * The producer's generation when the block was filled. {@link ReadAheadBlockPool} discards blocks of earlier
     * generations.
     */
    private int generation;
    /**
     * The number of discards when the producer began to fill the block. {@link ReadAheadBlockPool} discards the block
     * if the number has changed since.
     */
    private int discards;

    /** The memory to fill. {@link #setFilled} must follow. */
    MemorySegment memory() {
        return bytes;
    }

    /**
     * Records that the producer begins to fill the block.
     *
     * @param discardsSoFar number of discards by the consumer so far
     */
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

    /**
     * Copies up to {@code length} bytes to {@code target}, and wipes them in the block, even if the copy fails. Returns
     * their number.
     */
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
