package org.vhostuserrng.backends.readahead;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WipingCopy;

/**
 * Bytes read ahead. Owned by one thread at a time: the filler's while it is filled, the server's while it is emptied;
 * the queue that hands it over orders the accesses.
 */
final class ReadAheadBlock {
    static final int BYTES = 4096;

    private final MemorySegment bytes = Arena.ofAuto().allocate(BYTES);
    private int from;
    private int to;
    /** What {@link ReadAheadBlockPool} knows it by: blocks of an earlier one are not to be used any more. */
    private int round;

    /** Memory to fill; {@link #filled} says how much of it has been. */
    MemorySegment memory() {
        return bytes;
    }

    void filled(int length, int inRound) {
        from = 0;
        to = length;
        round = inRound;
    }

    int round() {
        return round;
    }

    boolean isEmpty() {
        return from == to;
    }

    /** Moves bytes out: they exist in one place only, afterwards and if the copy fails. */
    int moveTo(MemorySegment target, long offset, int length) {
        int moved = Math.min(length, to - from);
        int start = from;
        from += moved;
        WipingCopy.move(bytes, start, target, offset, moved);
        return moved;
    }

    /** Forgets what is left. */
    void wipe() {
        bytes.fill((byte) 0);
        from = 0;
        to = 0;
    }
}
