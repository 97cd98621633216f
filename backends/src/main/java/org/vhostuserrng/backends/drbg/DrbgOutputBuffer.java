package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.WipingCopy;

/**
 * A buffer of DRBG output, generated in advance for small requests. Returned bytes are overwritten with zeros. Confined
 * to one thread.
 */
final class DrbgOutputBuffer {
    /**
     * Size of the buffer; each guest has one. Each refill changes the key, which takes 400 ns and leaves 700 bytes of
     * garbage; 32 requests of 64 bytes share this cost.
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
     * Replaces the whole content.
     *
     * @param additionalInput of the DRBG, any length
     */
    void refill(CtrDrbg drbg, byte[] additionalInput) {
        drbg.generate(buffer, 0, BYTES, additionalInput);
        readIndex = 0;
    }

    /** Copies up to {@code length} bytes out and wipes them here, even if the copy fails. */
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

    /** The buffer itself, for tests. */
    MemorySegment memory() {
        return buffer;
    }
}
