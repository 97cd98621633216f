package org.vhostuserrng.backends.drbg;

import java.lang.foreign.MemorySegment;

/**
 * AES with 256-bit keys (FIPS 197), as a CTR_DRBG needs it: counters encrypted (SP 800-38A §6.5), and blocks in a
 * chain. Of an instance's key and counter nothing is known any more after {@link #wipe}. Confined to one thread.
 */
interface Aes256 {
    int KEY_BYTES = 32;
    int BLOCK_BYTES = 16;

    /** Takes the {@link #KEY_BYTES} of {@code from} at {@code offset} as the key. The counter has to be set anew then. */
    void key(MemorySegment from, long offset);

    /** Takes the {@link #BLOCK_BYTES} of {@code from} at {@code offset} as the next counter. */
    void counter(MemorySegment from, long offset);

    /**
     * Encrypts as many counters, each greater than the last by one, modulo 2^128.
     *
     * @param out native memory that stays there: not a guest's
     * @param blocks {@link #BLOCK_BYTES} each
     */
    void keystream(MemorySegment out, long offset, int blocks);

    /**
     * BCC of SP 800-90Ar1 §10.3.3: chains blocks from zero on. The counter has to be set anew then.
     *
     * @param data whole blocks, all of it
     * @param out native memory for {@link #BLOCK_BYTES} at {@code offset}; may be a part of {@code data}
     */
    void chain(MemorySegment data, MemorySegment out, long offset);

    /** Forgets key and counter. */
    void wipe();
}
