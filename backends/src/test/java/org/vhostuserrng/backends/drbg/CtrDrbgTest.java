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

/** Tests the limits of SP 800-90Ar1, and the lifecycle. {@link CtrDrbgKnownAnswerTest} tests the output. */
class CtrDrbgTest {
    private static final byte[] ENTROPY = filled(CtrDrbg.MIN_ENTROPY_BYTES, 1);
    private static final byte[] NONCE = filled(CtrDrbg.MIN_NONCE_BYTES, 2);

    private static final Arena ARENA = Arena.ofAuto();
    private static final byte[] SCRATCH = new byte[Aes256.SCRATCH_BYTES];

    private final CtrDrbg drbg = instantiated(CtrDrbg.RESEED_INTERVAL);

    private static CtrDrbg instantiated(long reseedInterval) {
        CtrDrbg drbg = new CtrDrbg(new BlockCipherDf(SCRATCH, ARENA), SCRATCH, ARENA, reseedInterval);
        drbg.instantiate(ENTROPY, NONCE, CtrDrbg.NO_INPUT);
        return drbg;
    }

    private static CtrDrbg newDrbg(BlockCipherDf df) {
        return new CtrDrbg(df, SCRATCH, ARENA);
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
    void refusesEntropyInputShorterThanSecurityStrength() {
        byte[] tooLittle = new byte[CtrDrbg.MIN_ENTROPY_BYTES - 1];

        assertThrows(IllegalArgumentException.class, () -> drbg.instantiate(tooLittle, NONCE, CtrDrbg.NO_INPUT));
        assertThrows(IllegalArgumentException.class, () -> drbg.reseed(tooLittle, CtrDrbg.NO_INPUT));
    }

    @Test
    void refusesShortNonce() {
        byte[] tooShort = new byte[CtrDrbg.MIN_NONCE_BYTES - 1];

        assertThrows(IllegalArgumentException.class, () -> drbg.instantiate(ENTROPY, tooShort, CtrDrbg.NO_INPUT));
    }

    @Test
    void generatesLongestRequest() {
        byte[] longest = generated(drbg, CtrDrbg.MAX_REQUEST_BYTES);

        byte[] beginning = generated(instantiated(CtrDrbg.RESEED_INTERVAL), 1000);
        assertArrayEquals(beginning, Arrays.copyOf(longest, 1000));
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, CtrDrbg.MAX_REQUEST_BYTES + 1})
    void refusesRequestOfInvalidLength(int length) {
        MemorySegment out = ARENA.allocate(CtrDrbg.MAX_REQUEST_BYTES + 1);

        assertThrows(RuntimeException.class, () -> drbg.generate(out, 0, length));
        assertThrows(RuntimeException.class, () -> drbg.generate(out, 0, length, NONCE));
        assertEquals(-1, out.mismatch(ARENA.allocate(out.byteSize())));
    }

    @Test
    void refusesToWriteBeyondTheSegment() {
        MemorySegment out = ARENA.allocate(64);

        assertThrows(IndexOutOfBoundsException.class, () -> drbg.generate(out, 60, 5));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 33})
    void writesOnlyTheRequestedBytes(int length) {
        MemorySegment memory = ARENA.allocate(64);

        drbg.generate(memory, 16, length);

        byte[] out = memory.toArray(ValueLayout.JAVA_BYTE);
        assertArrayEquals(new byte[16], Arrays.copyOf(out, 16));
        assertArrayEquals(new byte[48 - length], Arrays.copyOfRange(out, 16 + length, 64));
    }

    @Test
    void refusesRequestsAfterReseedInterval() {
        CtrDrbg expired = instantiated(2);
        generated(expired, 1);
        generated(expired, 1);

        assertThrows(IllegalStateException.class, () -> generated(expired, 1));
    }

    @Test
    void generatesAgainAfterReseed() {
        CtrDrbg expired = instantiated(1);
        generated(expired, 1);

        expired.reseed(ENTROPY, CtrDrbg.NO_INPUT);

        assertEquals(16, generated(expired, 16).length);
        assertThrows(IllegalStateException.class, () -> generated(expired, 1));
    }

    @Test
    void refusesRequestsBeforeInstantiation() {
        CtrDrbg uninstantiated = newDrbg(new BlockCipherDf(SCRATCH, ARENA));

        assertThrows(IllegalStateException.class, () -> generated(uninstantiated, 1));
        assertThrows(IllegalStateException.class, () -> uninstantiated.reseed(ENTROPY, CtrDrbg.NO_INPUT));
    }

    @Test
    void refusesRequestsAfterUninstantiation() {
        drbg.uninstantiate();

        assertThrows(IllegalStateException.class, () -> generated(drbg, 1));
        assertThrows(IllegalStateException.class, () -> drbg.reseed(ENTROPY, CtrDrbg.NO_INPUT));
    }

    @Test
    void outputDependsOnPersonalizationString() {
        CtrDrbg another = newDrbg(new BlockCipherDf(SCRATCH, ARENA));
        another.instantiate(ENTROPY, NONCE, new byte[] {1});

        assertFalse(Arrays.equals(generated(drbg, 64), generated(another, 64)));
    }

    @Test
    void doesNotModifyItsInputs() {
        byte[] entropy = ENTROPY.clone();
        byte[] nonce = NONCE.clone();

        drbg.instantiate(entropy, nonce, nonce);
        drbg.reseed(entropy, nonce);
        drbg.generate(ARENA.allocate(1), 0, 1, nonce);

        assertArrayEquals(ENTROPY, entropy);
        assertArrayEquals(NONCE, nonce);
    }

    @Test
    void instancesMayShareDerivationFunction() {
        BlockCipherDf shared = new BlockCipherDf(SCRATCH, ARENA);
        CtrDrbg one = newDrbg(shared);
        CtrDrbg other = newDrbg(shared);
        one.instantiate(ENTROPY, NONCE, CtrDrbg.NO_INPUT);
        other.instantiate(ENTROPY, NONCE, new byte[] {1});

        assertArrayEquals(generated(drbg, 64), generated(one, 64));
    }
}
