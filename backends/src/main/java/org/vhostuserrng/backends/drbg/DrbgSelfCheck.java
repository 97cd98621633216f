package org.vhostuserrng.backends.drbg;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/**
 * SP 800-90Ar1 §11.3, health testing: known answers of instantiate, reseed and generate, before a DRBG is used for the first
 * time, with the AES that it will use.
 */
final class DrbgSelfCheck {
    // One of the vectors that OpenSSL computed for the unit tests.
    private static final byte[] ENTROPY = hex("67cba5a47bf4eaf841fec49dac509bf69ee583a729bbc4dfc6da9564f8beeca1");
    private static final byte[] NONCE = hex("a45295eb53a3c0330104b78caa034cb5");
    private static final byte[] ENTROPY_OF_RESEED =
            hex("16517cd525d740545fc185923de5da91080c85f43e5c209514d4121cb7886d9e");
    private static final byte[] SECOND_OUTPUT = hex("1e1521d4e49be3e05595727520da96dcdf56ca09f1e5b6cbd16f49a9942432d2"
            + "e15f8d11185781ca3387195e9a6c166be21e2f7e85ee3a97fdc43a8f6c7f2edd");

    /** Sixteen at once, eight at once, and some one by one. */
    private static final int BLOCKS = 27;

    private DrbgSelfCheck() {}

    /**
     * Runs it.
     *
     * @throws IOException if an answer is another one; no DRBG must be used then (§11.3.6)
     */
    static void run() throws IOException {
        AesProvider aes = AesProvider.best();
        if (!isAnsweredWith(SECOND_OUTPUT, aes) || !givesTheSameInOnePiece(aes)) {
            throw new IOException("the self-test of the DRBG failed: AES of " + aes + " is broken here");
        }
    }

    static boolean isAnsweredWith(byte[] expected, AesProvider aes) {
        try (Arena arena = Arena.ofConfined()) {
            CtrDrbg drbg = new CtrDrbg(aes, new BlockCipherDf(aes, arena), arena);
            MemorySegment output = arena.allocate(expected.length);
            drbg.instantiate(ENTROPY, NONCE, CtrDrbg.NONE);
            drbg.reseed(ENTROPY_OF_RESEED, CtrDrbg.NONE);
            drbg.generate(output, 0, expected.length);
            drbg.generate(output, 0, expected.length);
            drbg.uninstantiate();
            return output.mismatch(MemorySegment.ofArray(expected)) < 0;
        }
    }

    /** The known answers are short: longer ones take other ways through the processor. */
    static boolean givesTheSameInOnePiece(AesProvider provider) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment seed = arena.allocateFrom(ValueLayout.JAVA_BYTE, SECOND_OUTPUT);
            Aes256 aes = provider.create(arena);
            aes.key(seed, 0);
            MemorySegment whole = arena.allocate((long) BLOCKS * Aes256.BLOCK_BYTES);
            aes.counter(seed, Aes256.KEY_BYTES);
            aes.keystream(whole, 0, BLOCKS);
            MemorySegment pieces = arena.allocate(whole.byteSize());
            aes.counter(seed, Aes256.KEY_BYTES);
            for (long at = 0; at < pieces.byteSize(); at += Aes256.BLOCK_BYTES) {
                aes.keystream(pieces, at, 1);
            }
            return whole.mismatch(pieces) < 0;
        }
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
