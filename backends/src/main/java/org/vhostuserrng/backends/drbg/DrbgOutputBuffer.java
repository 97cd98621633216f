package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WipingCopy;

/**
 * A buffer of DRBG output that was generated ahead for small requests. Bytes are overwritten with zeros when they are
 * used. Confined to one thread.
 */
final class DrbgOutputBuffer {
    /**
     * Size of the buffer in bytes. Each guest has one. A refill sets a new key, which takes 400 ns and allocates 700
     * bytes on the heap; 32 requests of 64 bytes share this cost.
     */
    static final int BYTES = 2048;

    private final MemorySegment buffer;
    private int readIndex = BYTES;

    DrbgOutputBuffer(Arena arena) {
        buffer = arena.allocate(BYTES);
    }

    boolean isEmpty() {
        return readIndex == BYTES;
    }

    /**
     * Replaces the whole content by new output.
     *
     * @param additionalInput additional input for the DRBG, of any length
     */
    void refill(CtrDrbg drbg, byte[] additionalInput) {
        drbg.generate(buffer, 0, BYTES, additionalInput);
        readIndex = 0;
    }

    /**
     * Copies up to {@code length} bytes to {@code target}, and wipes them in the buffer, even if the copy fails.
     * Returns their number.
     */
    int drainTo(MemorySegment target, long offset, int length) {
        int start = readIndex;
        int drained = Math.min(length, BYTES - start);
        readIndex += drained;
        WipingCopy.moveAndWipe(buffer, start, target, offset, drained);
        return drained;
    }

    /** Discards and wipes the content. */
    void wipe() {
        buffer.fill((byte) 0);
        readIndex = BYTES;
    }

    /** The memory of the buffer, for tests. */
    MemorySegment memory() {
        return buffer;
    }
}
