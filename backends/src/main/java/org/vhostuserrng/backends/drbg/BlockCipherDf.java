package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Block_Cipher_df with AES-256 (SP 800-90Ar1 §10.3.2): condenses input of any length into {@link #OUTPUT_BYTES}. One of
 * the conditioning functions that SP 800-90B §3.1.5.1.2 calls vetted. Keeps nothing of what went through it. Confined
 * to one thread.
 */
final class BlockCipherDf {
    /** seedlen of a CTR_DRBG with AES-256: the only length asked for. */
    static final int OUTPUT_BYTES = 48;

    private static final int BLOCK = Aes256.BLOCK_BYTES;
    private static final int INT = 4;
    // §10.3.2, step 2 and 3: L and N, 32 bits each.
    private static final int LENGTHS = 2 * INT;
    private static final ValueLayout.OfInt BIG_ENDIAN_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final Aes256 aes;
    /** K of step 8. */
    private final MemorySegment key;
    /** temp of step 9, then K and X of steps 10 and 11; zero but within a method. */
    private final MemorySegment temp;

    private final MemorySegment output;

    /**
     * A derivation function.
     *
     * @param arena as long as it lives this can be used
     */
    BlockCipherDf(AesProvider provider, Arena arena) {
        aes = provider.create(arena);
        key = arena.allocate(Aes256.KEY_BYTES);
        temp = arena.allocate(OUTPUT_BYTES);
        output = arena.allocate(OUTPUT_BYTES);
        // §10.3.2, step 8: K = 0x00010203…1f
        for (int i = 0; i < Aes256.KEY_BYTES; i++) {
            key.set(ValueLayout.JAVA_BYTE, i, (byte) i);
        }
    }

    /**
     * Derives.
     *
     * @param inputs taken as one string; left as they are
     * @return {@link #OUTPUT_BYTES}, for the caller to wipe before anybody derives again
     */
    MemorySegment derive(byte[]... inputs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment padded = padded(arena, inputs);
            aes.key(key, 0);
            // Steps 9 to 11: the counter in the first block is what makes the three different.
            for (int i = 0; i < OUTPUT_BYTES / BLOCK; i++) {
                padded.set(BIG_ENDIAN_INT, 0, i);
                aes.chain(padded, temp, (long) i * BLOCK);
            }
            aes.key(temp, 0);
            // Steps 13 to 15: X is the one block of a chain each time.
            MemorySegment x = temp.asSlice(Aes256.KEY_BYTES, BLOCK);
            for (int at = 0; at < OUTPUT_BYTES; at += BLOCK) {
                aes.chain(x, x, 0);
                MemorySegment.copy(x, 0, output, at, BLOCK);
            }
            padded.fill((byte) 0);
            return output;
        } finally {
            aes.wipe();
            temp.fill((byte) 0);
        }
    }

    /** IV || S of §10.3.2: room for the counter, L, N, the input, 0x80, and zeros up to a whole block. */
    private static MemorySegment padded(Arena arena, byte[]... inputs) {
        int length = 0;
        for (byte[] input : inputs) {
            length = Math.addExact(length, input.length);
        }
        int unpadded = Math.addExact(length, BLOCK + LENGTHS + 1);
        int blocks = Math.addExact(unpadded, BLOCK - 1) / BLOCK;
        MemorySegment padded = arena.allocate((long) blocks * BLOCK);
        padded.set(BIG_ENDIAN_INT, BLOCK, length);
        padded.set(BIG_ENDIAN_INT, BLOCK + INT, OUTPUT_BYTES);
        int at = BLOCK + LENGTHS;
        for (byte[] input : inputs) {
            MemorySegment.copy(input, 0, padded, ValueLayout.JAVA_BYTE, at, input.length);
            at += input.length;
        }
        padded.set(ValueLayout.JAVA_BYTE, at, (byte) 0x80);
        return padded;
    }
}
