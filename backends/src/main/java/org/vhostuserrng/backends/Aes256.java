package org.vhostuserrng.backends;

import java.security.GeneralSecurityException;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;

/**
 * The JDK's AES with 256-bit keys, in one of the two ways a CTR_DRBG needs it. The JDK's cipher keeps a key in its own
 * arrays and overwrites them with the next one, so that a key lives here until another follows. Confined to one thread.
 */
final class Aes256 {
    static final int KEY_BYTES = 32;
    static final int BLOCK_BYTES = 16;

    private final Cipher cipher;

    private Aes256(String transformation) {
        try {
            cipher = Cipher.getInstance(transformation);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("every JDK has " + transformation, impossible);
        }
    }

    /** Encrypts a counter, block after block, and XORs. */
    static Aes256 counter() {
        return new Aes256("AES/CTR/NoPadding");
    }

    /** Encrypts blocks, each by itself. */
    static Aes256 block() {
        return new Aes256("AES/ECB/NoPadding");
    }

    /** Takes the first {@link #KEY_BYTES} of {@code key} as the key. */
    void rekey(byte[] key) {
        init(key, null);
    }

    /** As {@link #rekey(byte[])}, and the {@link #BLOCK_BYTES} of {@code counter} from {@code from} on as the first counter. */
    void rekey(byte[] key, byte[] counter, int from) {
        init(key, new IvParameterSpec(counter, from, BLOCK_BYTES));
    }

    private void init(byte[] key, AlgorithmParameterSpec parameters) {
        try {
            cipher.init(Cipher.ENCRYPT_MODE, new LentKey(key), parameters);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("a key of 256 bits", impossible);
        }
    }

    /**
     * Encrypts the next bytes. {@code in} and {@code out} are different arrays, or the JDK makes a copy.
     *
     * @param length whole blocks, unless in counter mode
     */
    void encrypt(byte[] in, int inOffset, int length, byte[] out, int outOffset) {
        try {
            int done = cipher.update(in, inOffset, length, out, outOffset);
            assert done == length;
        } catch (GeneralSecurityException impossible) {
            throw new IndexOutOfBoundsException("room for " + length + " bytes at " + outOffset + " of " + out.length);
        }
    }

    /** A key whose bytes belong to the one who made them; the JDK asks for a copy and wipes that. */
    private static final class LentKey implements SecretKey {
        private static final long serialVersionUID = 1;

        private final transient byte[] bytes;

        private LentKey(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        public String getAlgorithm() {
            return "AES";
        }

        @Override
        public String getFormat() {
            return "RAW";
        }

        @Override
        public byte[] getEncoded() {
            return Arrays.copyOf(bytes, KEY_BYTES);
        }
    }
}
