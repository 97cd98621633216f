package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * CTR_DRBG (SP 800-90Ar1 §10.2.1) with AES-256 and the derivation function, of security strength 256 bits. For
 * prediction resistance, the caller calls {@link #reseed} before each {@link #generate}. Confined to one thread.
 *
 * <p>Only the cipher contains Key and V; its counter is V + 1 between calls. A new key overwrites the previous one at
 * the end of each request (backtracking resistance, §8.8). {@link Aes256} documents which copies the JDK leaves.
 */
final class CtrDrbg {
    /** §10.2.1 table 3: max_number_of_bits_per_request, in bytes. */
    static final int MAX_REQUEST_BYTES = 1 << 16;
    /** Minimum length of an entropy input: the security strength. */
    static final int MIN_ENTROPY_BYTES = 32;
    /** §8.6.7: half of the security strength. */
    static final int MIN_NONCE_BYTES = 16;
    /** §10.2.1 table 3: maximum number of requests between reseeds. */
    static final long RESEED_INTERVAL = 1L << 48;

    /** An empty personalization string or additional input. */
    static final byte[] NO_INPUT = {};

    private static final int SEED_BYTES = BlockCipherDf.OUTPUT_BYTES;
    private static final int SEED_BLOCKS = SEED_BYTES / Aes256.BLOCK_BYTES;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfLong BIG_ENDIAN_LONG = LONG.withOrder(ByteOrder.BIG_ENDIAN);

    private final BlockCipherDf df;
    private final long reseedInterval;
    private final Aes256 aes;
    /** temp of CTR_DRBG_Update (§10.2.1.2). Zero between calls. */
    private final MemorySegment temp;

    /** reseed_counter of §10.2.1; 0 while the DRBG is not instantiated. */
    private long reseedCounter;

    /**
     * Creates a DRBG that is not instantiated.
     *
     * @param df the derivation function, which the instances of a thread may share
     * @param scratch the scratch memory for {@link Aes256}
     * @param arena allocates memory of this object, and must outlive it
     */
    CtrDrbg(BlockCipherDf df, byte[] scratch, Arena arena) {
        this(df, scratch, arena, RESEED_INTERVAL);
    }

    CtrDrbg(BlockCipherDf df, byte[] scratch, Arena arena, long reseedInterval) {
        this.df = df;
        this.reseedInterval = reseedInterval;
        this.aes = new Aes256(scratch);
        this.temp = arena.allocate(SEED_BYTES);
    }

    /**
     * Instantiates the DRBG (§10.2.1.3.2). Does not modify the inputs, which the caller must wipe.
     *
     * @param entropy at least {@link #MIN_ENTROPY_BYTES} with at least 256 bits of entropy
     * @param nonce at least {@link #MIN_NONCE_BYTES}, never used before
     * @param personalization the personalization string, of any length
     */
    void instantiate(byte[] entropy, byte[] nonce, byte[] personalization) {
        requireEntropy(entropy);
        if (nonce.length < MIN_NONCE_BYTES) {
            throw new IllegalArgumentException("nonce of " + nonce.length + " bytes");
        }
        MemorySegment seedMaterial = df.derive(entropy, nonce, personalization);
        // §10.2.1.3.2 steps 4 and 5: Key = 0, V = 0; temp is zero here.
        rekeyFromTemp();
        update(seedMaterial);
        seedMaterial.fill((byte) 0);
        reseedCounter = 1;
    }

    /**
     * Reseeds the DRBG (§10.2.1.4.2). Does not modify the inputs, which the caller must wipe.
     *
     * @param entropy as for {@link #instantiate}
     * @param additional additional input, of any length
     */
    void reseed(byte[] entropy, byte[] additional) {
        requireInstantiated();
        requireEntropy(entropy);
        MemorySegment seedMaterial = df.derive(entropy, additional);
        update(seedMaterial);
        seedMaterial.fill((byte) 0);
        reseedCounter = 1;
    }

    /**
     * Generates random bytes without additional input (§10.2.1.5.2).
     *
     * @param out must not be guest memory
     * @param length 1 to {@link #MAX_REQUEST_BYTES}
     */
    void generate(MemorySegment out, long offset, int length) {
        requireRequest(out, offset, length);
        generateOutput(out, offset, length);
        update();
        reseedCounter++;
    }

    /** Like {@link #generate(MemorySegment, long, int)}, with additional input of any length. */
    void generate(MemorySegment out, long offset, int length, byte[] additional) {
        if (additional.length == 0) {
            generate(out, offset, length);
            return;
        }
        requireRequest(out, offset, length);
        MemorySegment derived = df.derive(additional);
        update(derived);
        generateOutput(out, offset, length);
        update(derived);
        derived.fill((byte) 0);
        reseedCounter++;
    }

    /** Erases the state (§9.4). The DRBG may be instantiated again. */
    void uninstantiate() {
        reseedCounter = 0;
        aes.wipe();
    }

    private static void requireEntropy(byte[] entropy) {
        if (entropy.length < MIN_ENTROPY_BYTES) {
            throw new IllegalArgumentException("entropy input of " + entropy.length + " bytes");
        }
    }

    private void requireInstantiated() {
        if (reseedCounter == 0) {
            throw new IllegalStateException("not instantiated");
        }
    }

    private void requireRequest(MemorySegment out, long offset, int length) {
        requireInstantiated();
        Objects.checkFromIndexSize(offset, length, out.byteSize());
        if (length < 1 || length > MAX_REQUEST_BYTES) {
            throw new IllegalArgumentException("request of " + length + " bytes");
        }
        // §10.2.1.5.2 step 1: no output before a reseed if reseed_counter > reseed_interval.
        if (reseedCounter > reseedInterval) {
            throw new IllegalStateException("reseed required");
        }
    }

    private void generateOutput(MemorySegment out, long offset, int length) {
        int blocks = length / Aes256.BLOCK_BYTES;
        aes.encryptCounters(out, offset, blocks);
        int rest = length % Aes256.BLOCK_BYTES;
        if (rest > 0) {
            // §10.2.1.5.2 step 4: generates a whole block and returns its leftmost bytes. The update then overwrites
            // temp.
            aes.encryptCounters(temp, 0, 1);
            MemorySegment.copy(temp, 0, out, offset + length - rest, rest);
        }
    }

    /** CTR_DRBG_Update (§10.2.1.2) with provided_data = 0. */
    private void update() {
        aes.encryptCounters(temp, 0, SEED_BLOCKS);
        rekeyFromTemp();
    }

    /** CTR_DRBG_Update (§10.2.1.2). */
    private void update(MemorySegment providedData) {
        aes.encryptCounters(temp, 0, SEED_BLOCKS);
        for (int at = 0; at < SEED_BYTES; at += Long.BYTES) {
            temp.set(LONG, at, temp.get(LONG, at) ^ providedData.get(LONG, at));
        }
        rekeyFromTemp();
    }

    /** Sets the key and the counter (V + 1) from {@link #temp}, then wipes {@link #temp}. */
    private void rekeyFromTemp() {
        aes.setKey(temp, 0);
        if (increment(SEED_BYTES - Long.BYTES) == 0) {
            increment(Aes256.KEY_BYTES);
        }
        aes.setCounter(temp, Aes256.KEY_BYTES);
        temp.fill((byte) 0);
    }

    /** Increments the half of V at an offset in {@link #temp}, and returns it. */
    private long increment(int at) {
        long incremented = temp.get(BIG_ENDIAN_LONG, at) + 1;
        temp.set(BIG_ENDIAN_LONG, at, incremented);
        return incremented;
    }
}
