package org.vhostuserrng.backends.drbg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;

/**
 * The JDK's AES, where the processor's is not to be had. It keeps a key in its own arrays and overwrites them with the
 * next one, so that a key lives here until another follows; each counter that is set leaves half a kilobyte of garbage.
 */
final class JdkAes256 implements Aes256 {
    private static final int PIECE_BYTES = 2048;
    /** The keystream is what becomes of zeros. */
    private static final byte[] ZEROS = new byte[PIECE_BYTES];

    private final Cipher cipher;
    private final byte[] key = new byte[KEY_BYTES];
    /** On its way to native memory; zero but within a method. */
    private final byte[] piece = new byte[PIECE_BYTES];

    JdkAes256() {
        try {
            cipher = Cipher.getInstance("AES/CTR/NoPadding");
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("every JDK has AES in counter mode", impossible);
        }
    }

    @Override
    public void key(MemorySegment from, long offset) {
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, key, 0, KEY_BYTES);
    }

    @Override
    public void counter(MemorySegment from, long offset) {
        byte[] counter = new byte[BLOCK_BYTES];
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, counter, 0, BLOCK_BYTES);
        init(counter);
        Arrays.fill(counter, (byte) 0);
    }

    private void init(byte[] counter) {
        try {
            cipher.init(Cipher.ENCRYPT_MODE, new LentKey(key), new IvParameterSpec(counter));
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("a key of 256 bits", impossible);
        }
    }

    @Override
    public void keystream(MemorySegment out, long offset, int blocks) {
        long end = offset + (long) blocks * BLOCK_BYTES;
        for (long at = offset; at < end; at += PIECE_BYTES) {
            int length = (int) Math.min(PIECE_BYTES, end - at);
            encryptZeros(length);
            MemorySegment.copy(piece, 0, out, ValueLayout.JAVA_BYTE, at, length);
            Arrays.fill(piece, 0, length, (byte) 0);
        }
    }

    private void encryptZeros(int length) {
        try {
            int done = cipher.update(ZEROS, 0, length, piece, 0);
            assert done == length;
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("room for " + length + " bytes", impossible);
        }
    }

    @Override
    public void chain(MemorySegment data, MemorySegment out, long offset) {
        byte[] blocks = data.toArray(ValueLayout.JAVA_BYTE);
        byte[] chained = encryptInChain(blocks);
        MemorySegment.copy(chained, chained.length - BLOCK_BYTES, out, ValueLayout.JAVA_BYTE, offset, BLOCK_BYTES);
        Arrays.fill(blocks, (byte) 0);
        Arrays.fill(chained, (byte) 0);
    }

    private byte[] encryptInChain(byte[] blocks) {
        try {
            Cipher chain = Cipher.getInstance("AES/CBC/NoPadding");
            chain.init(Cipher.ENCRYPT_MODE, new LentKey(key), new IvParameterSpec(new byte[BLOCK_BYTES]));
            return chain.doFinal(blocks);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError("every JDK has AES in cipher block chaining", impossible);
        }
    }

    @Override
    public void wipe() {
        Arrays.fill(key, (byte) 0);
        init(new byte[BLOCK_BYTES]);
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
            return bytes.clone();
        }
    }
}
