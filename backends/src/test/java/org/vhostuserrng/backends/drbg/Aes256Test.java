package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.backends.sys.CpuAes.Instruction;

/** All that do AES here, against the standards' examples and against the JDK's cipher block by block. */
class Aes256Test {
    private static final int BLOCK = Aes256.BLOCK_BYTES;
    private static final int MOST_BLOCKS = CtrDrbg.MAX_REQUEST_BYTES / BLOCK;
    private static final byte GUARD = 0x5a;
    private static final String KEY_OF_FIPS_197 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    private static final String KEY_OF_SP_800_38A = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";

    private final Arena arena = Arena.ofAuto();

    /** The processor in each way that it has the instructions for. */
    static Stream<AesProvider> processors() {
        return Arrays.stream(Instruction.values()).flatMap(instruction -> {
            try {
                return Stream.of(AesProvider.of(instruction));
            } catch (IOException lacking) {
                return Stream.of();
            }
        });
    }

    static Stream<AesProvider> providers() {
        return Stream.concat(Stream.of(AesProvider.JDK), processors());
    }

    /** Each provider with counters that carry out of 8, 32, 64, and all their bits, and with any. */
    static Stream<Arguments> counters() {
        List<String> counters = List.of(
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
        return providers().flatMap(aes -> counters.stream().map(counter -> Arguments.of(aes, counter)));
    }

    static Stream<Arguments> seeds() {
        return providers()
                .flatMap(aes -> Stream.iterate(1L, seed -> seed + 1).limit(16).map(seed -> Arguments.of(aes, seed)));
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    private static Aes256 at(AesProvider provider, Arena arena, byte[] key, byte[] counter) {
        Aes256 aes = provider.create(arena);
        aes.key(inNativeMemory(arena, key), 0);
        aes.counter(inNativeMemory(arena, counter), 0);
        return aes;
    }

    private static MemorySegment inNativeMemory(Arena arena, byte[] bytes) {
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    private Aes256 at(AesProvider provider, String key, String counter) {
        return at(provider, arena, hex(key), hex(counter));
    }

    private String keystream(Aes256 aes, int blocks) {
        MemorySegment out = arena.allocate((long) blocks * BLOCK);
        aes.keystream(out, 0, blocks);
        return HexFormat.of().formatHex(out.toArray(ValueLayout.JAVA_BYTE));
    }

    /** Each counter encrypted by itself. */
    private static String expected(byte[] key, byte[] counter, int blocks) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
        BigInteger value = new BigInteger(1, counter);
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < blocks; i++) {
            // 17 bytes or more, of which the last are the value modulo 2^128
            byte[] digits = value.setBit(8 * BLOCK + 8).toByteArray();
            byte[] block = Arrays.copyOfRange(digits, digits.length - BLOCK, digits.length);
            expected.append(HexFormat.of().formatHex(cipher.doFinal(block)));
            value = value.add(BigInteger.ONE).mod(BigInteger.TWO.pow(8 * BLOCK));
        }
        return expected.toString();
    }

    @ParameterizedTest
    @MethodSource("providers")
    void encryptsTheExampleOfFips197(AesProvider provider) {
        // Appendix C.3
        Aes256 aes = at(provider, KEY_OF_FIPS_197, "00112233445566778899aabbccddeeff");

        assertEquals("8ea2b7ca516745bfeafc49904b496089", keystream(aes, 1));
    }

    @ParameterizedTest
    @MethodSource("providers")
    void encryptsTheCountersOfSp80038a(AesProvider provider) {
        // Appendix F.5.5, the output blocks
        Aes256 aes = at(provider, KEY_OF_SP_800_38A, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");

        assertEquals(
                "0bdf7df1591716335e9a8b15c860c5025a6e699d536119065433863c8f657b94"
                        + "1bc12c9c01610d5d0d8bd6a3378eca622956e1c8693536b1bee99c73a31576b6",
                keystream(aes, 4));
    }

    @ParameterizedTest
    @MethodSource("counters")
    void carriesOverAllBitsOfTheCounter(AesProvider provider, String counter) throws GeneralSecurityException {
        Aes256 aes = at(provider, KEY_OF_FIPS_197, counter);

        assertEquals(expected(hex(KEY_OF_FIPS_197), hex(counter), 70), keystream(aes, 70));
    }

    @ParameterizedTest
    @MethodSource("counters")
    void goesOnWhereItStoodAfterACarry(AesProvider provider, String counter) throws GeneralSecurityException {
        Aes256 aes = at(provider, KEY_OF_FIPS_197, counter);

        String pieces =
                keystream(aes, 3) + keystream(aes, 9) + keystream(aes, 1) + keystream(aes, 17) + keystream(aes, 40);

        assertEquals(expected(hex(KEY_OF_FIPS_197), hex(counter), 70), pieces);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void encryptsWhateverTheKeyTheCounterAndTheLength(AesProvider provider, long seed) throws GeneralSecurityException {
        Random random = new Random(seed);
        byte[] key = new byte[Aes256.KEY_BYTES];
        byte[] counter = new byte[BLOCK];
        random.nextBytes(key);
        random.nextBytes(counter);
        Aes256 aes = at(provider, arena, key, counter);
        int first = random.nextInt(40);
        int second = random.nextInt(MOST_BLOCKS - first + 1);

        String pieces = keystream(aes, first) + keystream(aes, second);

        assertEquals(expected(key, counter, first + second), pieces);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void chainsAnyNumberOfBlocks(AesProvider provider, long seed) throws GeneralSecurityException {
        byte[] key = new byte[Aes256.KEY_BYTES];
        byte[] data = new byte[(int) seed * BLOCK];
        new Random(seed).nextBytes(key);
        new Random(-seed).nextBytes(data);
        Cipher cipher = Cipher.getInstance("AES/CBC/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(new byte[BLOCK]));
        byte[] last = Arrays.copyOfRange(cipher.doFinal(data), data.length - BLOCK, data.length);
        Aes256 aes = at(provider, arena, key, key);
        MemorySegment out = arena.allocate(3 * BLOCK);

        aes.chain(inNativeMemory(arena, data), out, BLOCK);

        MemorySegment expected = arena.allocate(3 * BLOCK).fill((byte) 0);
        MemorySegment.copy(last, 0, expected, ValueLayout.JAVA_BYTE, BLOCK, BLOCK);
        assertEquals(-1, expected.mismatch(out));
    }

    @ParameterizedTest
    @MethodSource("providers")
    void writesNothingBesideTheBlocksAskedFor(AesProvider provider) {
        Aes256 aes = at(provider, KEY_OF_FIPS_197, KEY_OF_FIPS_197);
        for (int blocks = 0; blocks <= 39; blocks++) {
            MemorySegment out = arena.allocate(40 * BLOCK).fill(GUARD);

            aes.keystream(out, 3, blocks);

            int end = 3 + blocks * BLOCK;
            assertEquals(-1, out.asSlice(0, 3).mismatch(arena.allocate(3).fill(GUARD)));
            MemorySegment beyond = arena.allocate(out.byteSize() - end).fill(GUARD);
            assertEquals(-1, out.asSlice(end).mismatch(beyond));
        }
    }

    @ParameterizedTest
    @MethodSource("providers")
    void refusesToWriteBeyondTheMemory(AesProvider provider) {
        Aes256 aes = at(provider, KEY_OF_FIPS_197, KEY_OF_FIPS_197);
        MemorySegment out = arena.allocate(2 * BLOCK);

        assertThrows(IndexOutOfBoundsException.class, () -> aes.keystream(out, 1, 2));
    }

    @ParameterizedTest
    @MethodSource("providers")
    void knowsNothingOfKeyAndCounterAfterAWipe(AesProvider provider) throws GeneralSecurityException {
        Aes256 aes = at(provider, KEY_OF_FIPS_197, KEY_OF_FIPS_197);

        aes.wipe();

        MemorySegment zeros = arena.allocate(Aes256.KEY_BYTES);
        aes.key(zeros, 0);
        aes.counter(zeros, 0);
        assertEquals(expected(new byte[Aes256.KEY_BYTES], new byte[BLOCK], 2), keystream(aes, 2));
    }

    // --- the processor's -------------------------------------------------------------------------------------------

    private static CpuAes256 of(AesProvider processor, Arena memory) {
        return (CpuAes256) at(processor, memory, hex(KEY_OF_FIPS_197), hex(KEY_OF_FIPS_197));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("processors")
    void expandsTheKeyToFifteenRoundKeys(AesProvider processor) {
        CpuAes256 aes = of(processor, arena);
        byte[] key = hex(KEY_OF_SP_800_38A);

        aes.key(inNativeMemory(arena, key), 0);

        // FIPS 197, appendix A.3: w[56..59]
        MemorySegment last = aes.memory().asSlice(14 * BLOCK, BLOCK);
        assertEquals("fe4890d1e6188d0b046df344706c631e", HexFormat.of().formatHex(last.toArray(ValueLayout.JAVA_BYTE)));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("processors")
    void leavesZerosAfterAWipe(AesProvider processor) {
        CpuAes256 aes = of(processor, arena);

        aes.wipe();

        assertEquals(-1, aes.memory().mismatch(arena.allocate(aes.memory().byteSize())));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("processors")
    void isOfNoUseWithoutItsMemory(AesProvider processor) {
        Arena gone = Arena.ofConfined();
        CpuAes256 aes = of(processor, gone);
        MemorySegment out = arena.allocate(BLOCK);

        gone.close();

        assertThrows(IllegalStateException.class, () -> aes.keystream(out, 0, 1));
    }
}
