package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * CTR_DRBG of SP 800-90Ar1 §10.2.1 with AES-256 and the derivation function; security strength 256 bits. Prediction
 * resistance is the caller's {@link #reseed} before {@link #generate}.
 *
 * <p>Key and V live in the cipher only: it stands at V + 1 whenever no method runs. Each request ends with a new key,
 * which overwrites the one its output came from, so that nothing here tells what has been given out before. Confined to
 * one thread.
 */
final class CtrDrbg {
    /** §10.2.1, table 3: max_number_of_bits_per_request, in bytes. */
    static final int MAX_REQUEST_BYTES = 1 << 16;
    /** Entropy that an instance is made of has this at least: the security strength. */
    static final int MIN_ENTROPY_BYTES = 32;
    /** §8.6.7: half of the security strength. */
    static final int MIN_NONCE_BYTES = 16;
    /** §10.2.1, table 3. */
    static final long RESEED_INTERVAL = 1L << 48;

    static final byte[] NONE = {};

    private static final int SEED_BYTES = BlockCipherDf.OUTPUT_BYTES;
    private static final int SEED_BLOCKS = SEED_BYTES / Aes256.BLOCK_BYTES;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfLong BIG_ENDIAN_LONG = LONG.withOrder(ByteOrder.BIG_ENDIAN);

    private final BlockCipherDf df;
    private final long reseedInterval;
    private final Aes256 aes;
    /** temp of CTR_DRBG_Update; zero but within a method. */
    private final MemorySegment temp;

    private long reseedCounter;

    /**
     * Without a state yet.
     *
     * @param df may be shared by the instances of a thread
     * @param arena as long as it lives this can be used
     */
    CtrDrbg(AesProvider provider, BlockCipherDf df, Arena arena) {
        this(provider, df, arena, RESEED_INTERVAL);
    }

    CtrDrbg(AesProvider provider, BlockCipherDf df, Arena arena, long reseedInterval) {
        this.df = df;
        this.reseedInterval = reseedInterval;
        this.aes = provider.create(arena);
        this.temp = arena.allocate(SEED_BYTES);
    }

    /**
     * §10.2.1.3.2. The inputs are left as they are, for the caller to wipe.
     *
     * @param entropy {@link #MIN_ENTROPY_BYTES} at least, with at least 256 bits of entropy in it
     * @param nonce {@link #MIN_NONCE_BYTES} at least; never the same twice
     * @param personalization any
     */
    void instantiate(byte[] entropy, byte[] nonce, byte[] personalization) {
        requireEntropy(entropy);
        if (nonce.length < MIN_NONCE_BYTES) {
            throw new IllegalArgumentException("nonce of " + nonce.length + " bytes");
        }
        MemorySegment seedMaterial = df.derive(entropy, nonce, personalization);
        // Step 4 and 5: Key = 0, V = 0
        rekeyWithTemp();
        update(seedMaterial);
        seedMaterial.fill((byte) 0);
        reseedCounter = 1;
    }

    /**
     * §10.2.1.4.2. The inputs are left as they are, for the caller to wipe.
     *
     * @param entropy as for {@link #instantiate}
     * @param additional any
     */
    void reseed(byte[] entropy, byte[] additional) {
        requireState();
        requireEntropy(entropy);
        MemorySegment seedMaterial = df.derive(entropy, additional);
        update(seedMaterial);
        seedMaterial.fill((byte) 0);
        reseedCounter = 1;
    }

    /**
     * §10.2.1.5.2, without additional input.
     *
     * @param out native memory that stays there: not a guest's
     * @param length 1 to {@link #MAX_REQUEST_BYTES}
     */
    void generate(MemorySegment out, long offset, int length) {
        requireRequest(out, offset, length);
        giveOut(out, offset, length);
        update();
        reseedCounter++;
    }

    /** As {@link #generate(MemorySegment, long, int)}, with additional input. */
    void generate(MemorySegment out, long offset, int length, byte[] additional) {
        if (additional.length == 0) {
            generate(out, offset, length);
            return;
        }
        requireRequest(out, offset, length);
        MemorySegment derived = df.derive(additional);
        update(derived);
        giveOut(out, offset, length);
        update(derived);
        derived.fill((byte) 0);
        reseedCounter++;
    }

    /** §9.4: forgets the state. May be instantiated anew. */
    void uninstantiate() {
        reseedCounter = 0;
        aes.wipe();
    }

    private static void requireEntropy(byte[] entropy) {
        if (entropy.length < MIN_ENTROPY_BYTES) {
            throw new IllegalArgumentException("entropy input of " + entropy.length + " bytes");
        }
    }

    private void requireState() {
        if (reseedCounter == 0) {
            throw new IllegalStateException("not instantiated");
        }
    }

    private void requireRequest(MemorySegment out, long offset, int length) {
        requireState();
        Objects.checkFromIndexSize(offset, length, out.byteSize());
        if (length < 1 || length > MAX_REQUEST_BYTES) {
            throw new IllegalArgumentException("request of " + length + " bytes");
        }
        // §10.2.1.5.2, step 1
        if (reseedCounter > reseedInterval) {
            throw new IllegalStateException("reseed required");
        }
    }

    private void giveOut(MemorySegment out, long offset, int length) {
        int blocks = length / Aes256.BLOCK_BYTES;
        aes.keystream(out, offset, blocks);
        int rest = length % Aes256.BLOCK_BYTES;
        if (rest > 0) {
            // Step 4.3: a whole block is used up, whatever is taken of it. The update overwrites it.
            aes.keystream(temp, 0, 1);
            MemorySegment.copy(temp, 0, out, offset + length - rest, rest);
        }
    }

    /** §10.2.1.2, CTR_DRBG_Update with zeros: the counter has been going on since V + 1. */
    private void update() {
        aes.keystream(temp, 0, SEED_BLOCKS);
        rekeyWithTemp();
    }

    /** §10.2.1.2, CTR_DRBG_Update. */
    private void update(MemorySegment providedData) {
        aes.keystream(temp, 0, SEED_BLOCKS);
        for (int at = 0; at < SEED_BYTES; at += Long.BYTES) {
            temp.set(LONG, at, temp.get(LONG, at) ^ providedData.get(LONG, at));
        }
        rekeyWithTemp();
    }

    /** Key and V from {@link #temp}, which is zero afterwards. */
    private void rekeyWithTemp() {
        aes.key(temp, 0);
        if (increment(SEED_BYTES - Long.BYTES) == 0) {
            increment(Aes256.KEY_BYTES);
        }
        aes.counter(temp, Aes256.KEY_BYTES);
        temp.fill((byte) 0);
    }

    /** V + 1, half of it. */
    private long increment(int at) {
        long incremented = temp.get(BIG_ENDIAN_LONG, at) + 1;
        temp.set(BIG_ENDIAN_LONG, at, incremented);
        return incremented;
    }
}
