package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares {@link Aes256} with the examples of the standards, and with single-block encryption by the JDK. */
class Aes256Test {
    private static final int BLOCK = Aes256.BLOCK_BYTES;
    private static final int MAX_BLOCKS = CtrDrbg.MAX_REQUEST_BYTES / BLOCK;
    private static final byte GUARD = 0x5a;
    private static final String FIPS_197_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    private static final String SP_800_38A_KEY = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";

    private final Arena arena = Arena.ofAuto();
    private final byte[] scratch = new byte[Aes256.SCRATCH_BYTES];

    /** Counters whose increments carry out of the lowest 8, 32, 64 and 128 bits. */
    static Stream<String> counters() {
        return Stream.of(
                "000000000000000000000000000000fd",
                "000000000000000000000000fffffff6",
                "00000000000000000000fffffffffffa",
                "0000000000000000fffffffffffffff7",
                "0000000000000000fffffffffffffff8",
                "0000000000000000fffffffffffffff0",
                "0000000000000000ffffffffffffffef",
                "0000000000000000ffffffffffffffdb",
                "0123456789abcdeffffffffffffffff9",
                "0123456789abcdefffffffffffffffff",
                "fffffffffffffffffffffffffffffff3",
                "fffffffffffffffffffffffffffffff8",
                "ffffffffffffffffffffffffffffffff");
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    private MemorySegment nativeCopy(byte[] bytes) {
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    private Aes256 aes(byte[] key, byte[] counter) {
        Aes256 aes = new Aes256(scratch);
        aes.setKey(nativeCopy(key), 0);
        aes.setCounter(nativeCopy(counter), 0);
        return aes;
    }

    private Aes256 aes(String key, String counter) {
        return aes(hex(key), hex(counter));
    }

    private String keystream(Aes256 aes, int blocks) {
        MemorySegment out = arena.allocate((long) blocks * BLOCK);
        aes.encryptCounters(out, 0, blocks);
        return HexFormat.of().formatHex(out.toArray(ValueLayout.JAVA_BYTE));
    }

    /** Computes the keystream, one counter at a time. */
    private static String expected(byte[] key, byte[] counter, int blocks) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
        BigInteger value = new BigInteger(1, counter);
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < blocks; i++) {
            // The array has at least 17 bytes, the last 16 of which are the value modulo 2^128.
            byte[] digits = value.setBit(8 * BLOCK + 8).toByteArray();
            byte[] block = Arrays.copyOfRange(digits, digits.length - BLOCK, digits.length);
            expected.append(HexFormat.of().formatHex(cipher.doFinal(block)));
            value = value.add(BigInteger.ONE).mod(BigInteger.TWO.pow(8 * BLOCK));
        }
        return expected.toString();
    }

    @Test
    void encryptsExampleOfFips197() {
        // FIPS 197 appendix C.3.
        Aes256 aes = aes(FIPS_197_KEY, "00112233445566778899aabbccddeeff");

        assertEquals("8ea2b7ca516745bfeafc49904b496089", keystream(aes, 1));
    }

    @Test
    void encryptsExampleOfSp80038a() {
        // SP 800-38A appendix F.5.5, output blocks.
        Aes256 aes = aes(SP_800_38A_KEY, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");

        assertEquals(
                "0bdf7df1591716335e9a8b15c860c5025a6e699d536119065433863c8f657b94"
                        + "1bc12c9c01610d5d0d8bd6a3378eca622956e1c8693536b1bee99c73a31576b6",
                keystream(aes, 4));
    }

    @ParameterizedTest
    @MethodSource("counters")
    void incrementsCounterModulo128Bits(String counter) throws GeneralSecurityException {
        Aes256 aes = aes(FIPS_197_KEY, counter);

        assertEquals(expected(hex(FIPS_197_KEY), hex(counter), 70), keystream(aes, 70));
    }

    @ParameterizedTest
    @MethodSource("counters")
    void continuesCounterAcrossCalls(String counter) throws GeneralSecurityException {
        Aes256 aes = aes(FIPS_197_KEY, counter);

        String pieces =
                keystream(aes, 3) + keystream(aes, 9) + keystream(aes, 1) + keystream(aes, 17) + keystream(aes, 40);

        assertEquals(expected(hex(FIPS_197_KEY), hex(counter), 70), pieces);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void encryptsAnyKeyCounterAndLength(long seed) throws GeneralSecurityException {
        Random random = new Random(seed);
        byte[] key = new byte[Aes256.KEY_BYTES];
        byte[] counter = new byte[BLOCK];
        random.nextBytes(key);
        random.nextBytes(counter);
        Aes256 aes = aes(key, counter);
        int first = random.nextInt(40);
        int second = random.nextInt(MAX_BLOCKS - first + 1);

        String pieces = keystream(aes, first) + keystream(aes, second);

        assertEquals(expected(key, counter, first + second), pieces);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void bccChainsAnyNumberOfBlocks(long seed) throws GeneralSecurityException {
        byte[] key = new byte[Aes256.KEY_BYTES];
        byte[] data = new byte[(int) seed * BLOCK];
        new Random(seed).nextBytes(key);
        new Random(-seed).nextBytes(data);
        Cipher cipher = Cipher.getInstance("AES/CBC/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(new byte[BLOCK]));
        byte[] last = Arrays.copyOfRange(cipher.doFinal(data), data.length - BLOCK, data.length);
        Aes256 aes = aes(key, key);
        MemorySegment out = arena.allocate(3 * BLOCK);

        aes.bcc(nativeCopy(data), out, BLOCK);

        MemorySegment expected = arena.allocate(3 * BLOCK).fill((byte) 0);
        MemorySegment.copy(last, 0, expected, ValueLayout.JAVA_BYTE, BLOCK, BLOCK);
        assertEquals(-1, expected.mismatch(out));
    }

    @Test
    void writesOnlyTheRequestedBlocks() {
        Aes256 aes = aes(FIPS_197_KEY, FIPS_197_KEY);
        for (int blocks = 0; blocks <= 39; blocks++) {
            MemorySegment out = arena.allocate(40 * BLOCK).fill(GUARD);

            aes.encryptCounters(out, 3, blocks);

            int end = 3 + blocks * BLOCK;
            assertEquals(-1, out.asSlice(0, 3).mismatch(arena.allocate(3).fill(GUARD)));
            MemorySegment beyond = arena.allocate(out.byteSize() - end).fill(GUARD);
            assertEquals(-1, out.asSlice(end).mismatch(beyond));
        }
    }

    @Test
    void refusesToWriteBeyondTheSegment() {
        Aes256 aes = aes(FIPS_197_KEY, FIPS_197_KEY);
        MemorySegment out = arena.allocate(2 * BLOCK);

        assertThrows(IndexOutOfBoundsException.class, () -> aes.encryptCounters(out, 1, 2));
    }

    @Test
    void isUsableWithNewKeyAfterWipe() throws GeneralSecurityException {
        Aes256 aes = aes(FIPS_197_KEY, FIPS_197_KEY);

        aes.wipe();

        MemorySegment zeros = arena.allocate(Aes256.KEY_BYTES);
        aes.setKey(zeros, 0);
        aes.setCounter(zeros, 0);
        assertEquals(expected(new byte[Aes256.KEY_BYTES], new byte[BLOCK], 2), keystream(aes, 2));
    }

    @Test
    void leavesScratchZero() {
        Aes256 aes = aes(FIPS_197_KEY, "00112233445566778899aabbccddeeff");
        MemorySegment tooSmall = arena.allocate(BLOCK);

        keystream(aes, MAX_BLOCKS);
        assertThrows(IndexOutOfBoundsException.class, () -> aes.encryptCounters(tooSmall, 0, 2));

        assertArrayEquals(new byte[Aes256.SCRATCH_BYTES], scratch);
    }
}
