package org.vhostuserrng.backends.drbg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;

/**
 * The JDK's AES with 256-bit keys (FIPS 197), in the two modes that a CTR_DRBG needs: counter mode (SP 800-38A §6.5)
 * and BCC (SP 800-90Ar1 §10.3.3). Confined to one thread.
 *
 * <p>Key material on the Java heap: this class contains the current key. The JDK's cipher contains a copy of the key,
 * its round keys and the counter, and overwrites them when the next key is set and in {@link #wipe}. Two kinds of
 * copies cannot be wiped, and remain until the heap reuses their memory: those that a moving garbage collection leaves,
 * and the initial counter, which reveals nothing without its key.
 *
 * <p>Setting a counter allocates about 700 bytes. Encryption does not allocate. The first instance in a process loads
 * the JDK's providers, which takes tens of milliseconds and leaves /dev/random and /dev/urandom open.
 */
final class Aes256 {
    static final int KEY_BYTES = 32;
    static final int BLOCK_BYTES = 16;
    /** Size of the scratch memory in bytes that the constructor needs. */
    static final int SCRATCH_BYTES = 4096;

    /** The plaintext of counter mode: zeros, so that the ciphertext is the keystream. */
    private static final byte[] ZEROS = new byte[SCRATCH_BYTES];

    /** The cipher's source of random bytes: none, because the key and the counter are always specified. */
    private static final SecureRandom NO_RANDOM = null;

    private final Cipher counterMode = newCipher("AES/CTR/NoPadding");
    /** The cipher for {@link #bcc}; null before the first call, because most instances never need it. */
    private Cipher chaining;

    private final byte[] key = new byte[KEY_BYTES];
    private final SecretKey keyView = new KeyView(key);
    /** The counter to set; zero between calls. */
    private final byte[] counter = new byte[BLOCK_BYTES];
    /** Buffer for output that is copied to native memory; zero between calls. */
    private final byte[] scratch;

    /**
     * Creates an instance without a key.
     *
     * @param scratch {@link #SCRATCH_BYTES} zeros; the instances of a thread may share it
     */
    Aes256(byte[] scratch) {
        this.scratch = scratch;
    }

    private static Cipher newCipher(String transformation) {
        try {
            return Cipher.getInstance(transformation);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("every JDK has " + transformation, impossible);
        }
    }

    /** Sets the key: {@link #KEY_BYTES} bytes of {@code from} at {@code offset}. {@link #setCounter} must follow. */
    void setKey(MemorySegment from, long offset) {
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, key, 0, KEY_BYTES);
    }

    /** Sets the next counter: {@link #BLOCK_BYTES} bytes of {@code from} at {@code offset}. */
    void setCounter(MemorySegment from, long offset) {
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, counter, 0, BLOCK_BYTES);
        init(counterMode, counter);
        Arrays.fill(counter, (byte) 0);
    }

    private void init(Cipher cipher, byte[] iv) {
        try {
            cipher.init(Cipher.ENCRYPT_MODE, keyView, new IvParameterSpec(iv), NO_RANDOM);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("a key of 256 bits and a counter of 128 bits are valid", impossible);
        }
    }

    /**
     * Encrypts consecutive counters. Each block increments the counter modulo 2^128.
     *
     * @param out receives {@link #BLOCK_BYTES} for each block; must not be guest memory
     */
    void encryptCounters(MemorySegment out, long offset, int blocks) {
        long end = offset + (long) blocks * BLOCK_BYTES;
        for (long at = offset; at < end; at += SCRATCH_BYTES) {
            int length = (int) Math.min(SCRATCH_BYTES, end - at);
            try {
                encryptZeros(length);
                MemorySegment.copy(scratch, 0, out, ValueLayout.JAVA_BYTE, at, length);
            } finally {
                Arrays.fill(scratch, 0, length, (byte) 0);
            }
        }
    }

    private void encryptZeros(int length) {
        try {
            int written = counterMode.update(ZEROS, 0, length, scratch, 0);
            assert written == length;
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("the scratch memory has room for " + length + " bytes", impossible);
        }
    }

    /**
     * Computes BCC (SP 800-90Ar1 §10.3.3): the CBC-MAC of {@code data}. Does not change the counter.
     *
     * @param data one or more whole blocks
     * @param out receives {@link #BLOCK_BYTES} at {@code offset}; may be part of {@code data}
     */
    void bcc(MemorySegment data, MemorySegment out, long offset) {
        if (chaining == null) {
            chaining = newCipher("AES/CBC/NoPadding");
        }
        byte[] blocks = data.toArray(ValueLayout.JAVA_BYTE);
        // The initial chaining value of BCC is 0, which is the value of "counter" between calls.
        init(chaining, counter);
        byte[] chained = encryptChained(blocks);
        MemorySegment.copy(chained, chained.length - BLOCK_BYTES, out, ValueLayout.JAVA_BYTE, offset, BLOCK_BYTES);
        Arrays.fill(blocks, (byte) 0);
        Arrays.fill(chained, (byte) 0);
    }

    private byte[] encryptChained(byte[] blocks) {
        try {
            return chaining.doFinal(blocks);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("whole blocks need no padding", impossible);
        }
    }

    /** Overwrites the key and the counter, including the JDK's copies. Both must be set again before the next use. */
    void wipe() {
        Arrays.fill(key, (byte) 0);
        init(counterMode, counter);
        if (chaining != null) {
            init(chaining, counter);
        }
    }

    /**
     * Provides the key of this instance to the JDK's cipher. The JDK wipes the copy from {@link #getEncoded} after use.
     */
    private static final class KeyView implements SecretKey {
        private static final long serialVersionUID = 1;

        private final transient byte[] key;

        private KeyView(byte[] key) {
            this.key = key;
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
            return key.clone();
        }
    }
}
