package org.vhostuserrng.backends;

import java.util.Arrays;

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
    private static final byte[] KEY = new byte[Aes256.KEY_BYTES];

    static {
        // §10.3.2, step 8: K = 0x00010203…1f
        for (int i = 0; i < KEY.length; i++) {
            KEY[i] = (byte) i;
        }
    }

    private final Aes256 aes = Aes256.block();
    private final byte[] chained = new byte[BLOCK];
    private final byte[] encrypted = new byte[BLOCK];
    private final byte[] temp = new byte[OUTPUT_BYTES];

    BlockCipherDf() {
        aes.rekey(KEY);
    }

    /**
     * Derives.
     *
     * @param output {@link #OUTPUT_BYTES} long
     * @param inputs taken as one string; left as they are
     */
    void derive(byte[] output, byte[]... inputs) {
        byte[] padded = padded(inputs);
        try {
            // Steps 9 to 11: the counter in the first block is what makes the three different.
            for (int i = 0; i < OUTPUT_BYTES / BLOCK; i++) {
                putInt(padded, 0, i);
                bcc(padded);
                System.arraycopy(chained, 0, temp, i * BLOCK, BLOCK);
            }
            aes.rekey(temp);
            System.arraycopy(temp, Aes256.KEY_BYTES, chained, 0, BLOCK);
            // Steps 13 to 15
            for (int at = 0; at < OUTPUT_BYTES; at += BLOCK) {
                encryptChained();
                System.arraycopy(chained, 0, output, at, BLOCK);
            }
        } finally {
            aes.rekey(KEY);
            Arrays.fill(padded, (byte) 0);
            Arrays.fill(chained, (byte) 0);
            Arrays.fill(encrypted, (byte) 0);
            Arrays.fill(temp, (byte) 0);
        }
    }

    /** IV || S of §10.3.2: room for the counter, L, N, the input, 0x80, and zeros up to a whole block. */
    private static byte[] padded(byte[]... inputs) {
        int length = 0;
        for (byte[] input : inputs) {
            length = Math.addExact(length, input.length);
        }
        int unpadded = Math.addExact(length, BLOCK + LENGTHS + 1);
        byte[] padded = new byte[Math.addExact(unpadded, BLOCK - 1) / BLOCK * BLOCK];
        putInt(padded, BLOCK, length);
        putInt(padded, BLOCK + INT, OUTPUT_BYTES);
        int at = BLOCK + LENGTHS;
        for (byte[] input : inputs) {
            System.arraycopy(input, 0, padded, at, input.length);
            at += input.length;
        }
        padded[at] = (byte) 0x80;
        return padded;
    }

    private static void putInt(byte[] to, int at, int value) {
        to[at] = (byte) (value >>> 24);
        to[at + 1] = (byte) (value >>> 16);
        to[at + 2] = (byte) (value >>> 8);
        to[at + 3] = (byte) value;
    }

    /** §10.3.3: BCC, into {@link #chained}. */
    private void bcc(byte[] data) {
        Arrays.fill(chained, (byte) 0);
        for (int at = 0; at < data.length; at += BLOCK) {
            for (int i = 0; i < BLOCK; i++) {
                chained[i] ^= data[at + i];
            }
            encryptChained();
        }
    }

    private void encryptChained() {
        aes.encrypt(chained, 0, BLOCK, encrypted, 0);
        System.arraycopy(encrypted, 0, chained, 0, BLOCK);
    }
}
