package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WipingCopy;

/** Output of a DRBG, generated ahead for small requests. What has been given out is zero. Confined to one thread. */
final class DrbgOutputBuffer {
    /**
     * Each guest's. What a block costs besides its bytes, 70 ns, is shared by eight requests of 64 bytes.
     */
    static final int BYTES = 512;

    private final MemorySegment bytes;
    private int from = BYTES;

    DrbgOutputBuffer(Arena arena) {
        bytes = arena.allocate(BYTES);
    }

    boolean isEmpty() {
        return from == BYTES;
    }

    /** Fills it whole. */
    void refill(CtrDrbg drbg) {
        drbg.generate(bytes, 0, BYTES);
        from = 0;
    }

    /** Moves bytes out: they exist in one place only, afterwards and if the copy fails. */
    int moveTo(MemorySegment target, long offset, int length) {
        int start = from;
        int moved = Math.min(length, BYTES - start);
        from += moved;
        WipingCopy.move(bytes, start, target, offset, moved);
        return moved;
    }

    /** Forgets what is left. */
    void wipe() {
        bytes.fill((byte) 0);
        from = BYTES;
    }

    /** What it holds, in its place. */
    MemorySegment memory() {
        return bytes;
    }
}
