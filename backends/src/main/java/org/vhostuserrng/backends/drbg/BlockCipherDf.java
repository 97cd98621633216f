package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Block_Cipher_df with AES-256 (SP 800-90Ar1 §10.3.2): derives {@link #OUTPUT_BYTES} from input of any length. SP
 * 800-90B §3.1.5.1.2 lists it as a vetted conditioning function. Stores nothing between calls. Confined to one thread.
 */
final class BlockCipherDf {
    /** The length of the output in bytes: seedlen of a CTR_DRBG with AES-256, the only length that is needed. */
    static final int OUTPUT_BYTES = 48;

    private static final int BLOCK = Aes256.BLOCK_BYTES;
    private static final int INT = 4;
    /** The size of L and N (§10.3.2 steps 2 and 3), of 32 bits each. */
    private static final int LENGTHS = 2 * INT;

    private static final ValueLayout.OfInt BIG_ENDIAN_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final Aes256 aes;
    /** K of §10.3.2 step 8. */
    private final MemorySegment key;
    /** temp of §10.3.2 step 9, then K and X of steps 10 and 11. Zero between calls. */
    private final MemorySegment temp;

    private final MemorySegment output;

    /**
     * Creates a derivation function.
     *
     * @param scratch the scratch memory for {@link Aes256}
     * @param arena allocates memory of this object, and must outlive it
     */
    BlockCipherDf(byte[] scratch, Arena arena) {
        aes = new Aes256(scratch);
        key = arena.allocate(Aes256.KEY_BYTES);
        temp = arena.allocate(OUTPUT_BYTES);
        output = arena.allocate(OUTPUT_BYTES);
        // §10.3.2 step 8: K = 0x00010203…1f.
        for (int i = 0; i < Aes256.KEY_BYTES; i++) {
            key.set(ValueLayout.JAVA_BYTE, i, (byte) i);
        }
    }

    /**
     * Derives {@link #OUTPUT_BYTES} from the concatenated inputs.
     *
     * @param inputs the inputs, which are not modified
     * @return the output in memory of this object, valid until the next call; the caller must wipe it
     */
    MemorySegment derive(byte[]... inputs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment padded = padded(arena, inputs);
            aes.setKey(key, 0);
            // §10.3.2 steps 9 to 11: the counter i in the first block makes the three BCC outputs differ.
            for (int i = 0; i < OUTPUT_BYTES / BLOCK; i++) {
                padded.set(BIG_ENDIAN_INT, 0, i);
                aes.bcc(padded, temp, (long) i * BLOCK);
            }
            aes.setKey(temp, 0);
            // §10.3.2 steps 13 to 15: Block_Encrypt(K, X) equals the BCC of the single block X.
            MemorySegment x = temp.asSlice(Aes256.KEY_BYTES, BLOCK);
            for (int at = 0; at < OUTPUT_BYTES; at += BLOCK) {
                aes.bcc(x, x, 0);
                MemorySegment.copy(x, 0, output, at, BLOCK);
            }
            padded.fill((byte) 0);
            return output;
        } finally {
            aes.wipe();
            temp.fill((byte) 0);
        }
    }

    /** Returns IV || S of §10.3.2: a block for the counter i, L, N, the input, 0x80, and zeros up to a whole block. */
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
