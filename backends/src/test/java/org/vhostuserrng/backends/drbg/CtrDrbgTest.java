package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bounds of SP 800-90Ar1 and what is left behind; that the output is right is the known answers' matter. */
class CtrDrbgTest {
    private static final byte[] ENTROPY = filled(CtrDrbg.MIN_ENTROPY_BYTES, 1);
    private static final byte[] NONCE = filled(CtrDrbg.MIN_NONCE_BYTES, 2);

    private static final AesProvider AES = AesProvider.best();
    private static final Arena ARENA = Arena.ofAuto();

    private final CtrDrbg drbg = instantiated(CtrDrbg.RESEED_INTERVAL);

    private static CtrDrbg instantiated(long reseedInterval) {
        CtrDrbg drbg = new CtrDrbg(AES, new BlockCipherDf(AES, ARENA), ARENA, reseedInterval);
        drbg.instantiate(ENTROPY, NONCE, CtrDrbg.NONE);
        return drbg;
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static byte[] generated(CtrDrbg drbg, int length) {
        MemorySegment out = ARENA.allocate(length);
        drbg.generate(out, 0, length);
        return out.toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void refusesLessEntropyThanItsStrength() {
        byte[] tooLittle = new byte[CtrDrbg.MIN_ENTROPY_BYTES - 1];

        assertThrows(IllegalArgumentException.class, () -> drbg.instantiate(tooLittle, NONCE, CtrDrbg.NONE));
        assertThrows(IllegalArgumentException.class, () -> drbg.reseed(tooLittle, CtrDrbg.NONE));
    }

    @Test
    void refusesAShortNonce() {
        byte[] tooShort = new byte[CtrDrbg.MIN_NONCE_BYTES - 1];

        assertThrows(IllegalArgumentException.class, () -> drbg.instantiate(ENTROPY, tooShort, CtrDrbg.NONE));
    }

    @Test
    void generatesTheLongestRequest() {
        byte[] longest = generated(drbg, CtrDrbg.MAX_REQUEST_BYTES);

        byte[] beginning = generated(instantiated(CtrDrbg.RESEED_INTERVAL), 1000);
        assertArrayEquals(beginning, Arrays.copyOf(longest, 1000));
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, CtrDrbg.MAX_REQUEST_BYTES + 1})
    void refusesARequestOfThisLength(int length) {
        MemorySegment out = ARENA.allocate(CtrDrbg.MAX_REQUEST_BYTES + 1);

        assertThrows(RuntimeException.class, () -> drbg.generate(out, 0, length));
        assertThrows(RuntimeException.class, () -> drbg.generate(out, 0, length, NONCE));
        assertEquals(-1, out.mismatch(ARENA.allocate(out.byteSize())));
    }

    @Test
    void refusesToWriteBeyondTheMemory() {
        MemorySegment out = ARENA.allocate(64);

        assertThrows(IndexOutOfBoundsException.class, () -> drbg.generate(out, 60, 5));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 33})
    void writesNothingBesideWhatWasAskedFor(int length) {
        MemorySegment memory = ARENA.allocate(64);

        drbg.generate(memory, 16, length);

        byte[] out = memory.toArray(ValueLayout.JAVA_BYTE);
        assertArrayEquals(new byte[16], Arrays.copyOf(out, 16));
        assertArrayEquals(new byte[48 - length], Arrays.copyOfRange(out, 16 + length, 64));
    }

    @Test
    void refusesRequestsAfterTheReseedInterval() {
        CtrDrbg worn = instantiated(2);
        generated(worn, 1);
        generated(worn, 1);

        assertThrows(IllegalStateException.class, () -> generated(worn, 1));
    }

    @Test
    void generatesAgainAfterAReseed() {
        CtrDrbg worn = instantiated(1);
        generated(worn, 1);

        worn.reseed(ENTROPY, CtrDrbg.NONE);

        assertEquals(16, generated(worn, 16).length);
        assertThrows(IllegalStateException.class, () -> generated(worn, 1));
    }

    @Test
    void refusesWhatNeedsAStateBeforeItHasOne() {
        CtrDrbg without = new CtrDrbg(AES, new BlockCipherDf(AES, ARENA), ARENA);

        assertThrows(IllegalStateException.class, () -> generated(without, 1));
        assertThrows(IllegalStateException.class, () -> without.reseed(ENTROPY, CtrDrbg.NONE));
    }

    @Test
    void refusesWhatNeedsAStateAfterItHasForgottenIt() {
        drbg.uninstantiate();

        assertThrows(IllegalStateException.class, () -> generated(drbg, 1));
        assertThrows(IllegalStateException.class, () -> drbg.reseed(ENTROPY, CtrDrbg.NONE));
    }

    @Test
    void differsByPersonalizationAlone() {
        CtrDrbg another = new CtrDrbg(AES, new BlockCipherDf(AES, ARENA), ARENA);
        another.instantiate(ENTROPY, NONCE, new byte[] {1});

        assertFalse(Arrays.equals(generated(drbg, 64), generated(another, 64)));
    }

    @Test
    void leavesItsInputsToTheirOwner() {
        byte[] entropy = ENTROPY.clone();
        byte[] nonce = NONCE.clone();

        drbg.instantiate(entropy, nonce, nonce);
        drbg.reseed(entropy, nonce);
        drbg.generate(ARENA.allocate(1), 0, 1, nonce);

        assertArrayEquals(ENTROPY, entropy);
        assertArrayEquals(NONCE, nonce);
    }

    @Test
    void sharesADerivationFunctionWithOthersUnharmed() {
        BlockCipherDf shared = new BlockCipherDf(AES, ARENA);
        CtrDrbg one = new CtrDrbg(AES, shared, ARENA);
        CtrDrbg other = new CtrDrbg(AES, shared, ARENA);
        one.instantiate(ENTROPY, NONCE, CtrDrbg.NONE);
        other.instantiate(ENTROPY, NONCE, new byte[] {1});

        assertArrayEquals(generated(drbg, 64), generated(one, 64));
    }
}
