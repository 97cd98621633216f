package org.vhostuserrng.backends.drbg;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/**
 * Health testing of the DRBG (SP 800-90Ar1 §11.3): known-answer tests of instantiate, reseed and generate, which run
 * before a DRBG is used.
 */
final class DrbgSelfCheck {
    // A test vector that was computed with OpenSSL. The unit tests contain more of them.
    private static final byte[] ENTROPY = hex("67cba5a47bf4eaf841fec49dac509bf69ee583a729bbc4dfc6da9564f8beeca1");
    private static final byte[] NONCE = hex("a45295eb53a3c0330104b78caa034cb5");
    private static final byte[] RESEED_ENTROPY =
            hex("16517cd525d740545fc185923de5da91080c85f43e5c209514d4121cb7886d9e");
    private static final byte[] SECOND_OUTPUT = hex("1e1521d4e49be3e05595727520da96dcdf56ca09f1e5b6cbd16f49a9942432d2"
            + "e15f8d11185781ca3387195e9a6c166be21e2f7e85ee3a97fdc43a8f6c7f2edd");

    /** Number of blocks: 27 = 16 + 8 + 3, to test the 16-block, 8-block and single-block paths of a vectorized AES. */
    private static final int BLOCKS = 27;

    private DrbgSelfCheck() {}

    /**
     * Runs all tests.
     *
     * @throws IOException if a test fails: the DRBG must not be used then (§11.3.6)
     */
    static void run() throws IOException {
        if (!matchesKnownAnswer(SECOND_OUTPUT) || !matchesBlockwise()) {
            throw new IOException("the self-test of the DRBG failed: AES of this JDK is broken");
        }
    }

    static boolean matchesKnownAnswer(byte[] expected) {
        try (Arena arena = Arena.ofConfined()) {
            byte[] scratch = new byte[Aes256.SCRATCH_BYTES];
            CtrDrbg drbg = new CtrDrbg(new BlockCipherDf(scratch, arena), scratch, arena);
            MemorySegment output = arena.allocate(expected.length);
            drbg.instantiate(ENTROPY, NONCE, CtrDrbg.NO_INPUT);
            drbg.reseed(RESEED_ENTROPY, CtrDrbg.NO_INPUT);
            drbg.generate(output, 0, expected.length);
            drbg.generate(output, 0, expected.length);
            drbg.uninstantiate();
            return output.mismatch(MemorySegment.ofArray(expected)) < 0;
        }
    }

    /**
     * Returns whether one long output equals the same blocks generated one at a time, because the known answer is too
     * short to test the vectorized paths.
     */
    static boolean matchesBlockwise() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment seed = arena.allocateFrom(ValueLayout.JAVA_BYTE, SECOND_OUTPUT);
            Aes256 aes = new Aes256(new byte[Aes256.SCRATCH_BYTES]);
            aes.setKey(seed, 0);
            MemorySegment whole = arena.allocate((long) BLOCKS * Aes256.BLOCK_BYTES);
            aes.setCounter(seed, Aes256.KEY_BYTES);
            aes.encryptCounters(whole, 0, BLOCKS);
            MemorySegment blockwise = arena.allocate(whole.byteSize());
            aes.setCounter(seed, Aes256.KEY_BYTES);
            for (long at = 0; at < blockwise.byteSize(); at += Aes256.BLOCK_BYTES) {
                aes.encryptCounters(blockwise, at, 1);
            }
            return whole.mismatch(blockwise) < 0;
        }
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
