package org.vhostuserrng.backends;

import java.util.Arrays;
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
    /** In pieces of this, so that input and output stay in the nearest cache. */
    private static final int PIECE_BYTES = 8192;
    /** The keystream is what becomes of zeros. */
    private static final byte[] ZEROS = new byte[PIECE_BYTES];

    private final BlockCipherDf df;
    private final long reseedInterval;
    private final Aes256 keystream = Aes256.counter();
    /** temp of CTR_DRBG_Update; zero but within a method. */
    private final byte[] temp = new byte[SEED_BYTES];

    private long reseedCounter;

    /**
     * Without a state yet.
     *
     * @param df may be shared by the instances of a thread
     */
    CtrDrbg(BlockCipherDf df) {
        this(df, RESEED_INTERVAL);
    }

    CtrDrbg(BlockCipherDf df, long reseedInterval) {
        this.df = df;
        this.reseedInterval = reseedInterval;
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
        byte[] seedMaterial = new byte[SEED_BYTES];
        df.derive(seedMaterial, entropy, nonce, personalization);
        // Step 4 and 5: Key = 0, V = 0
        rekeyWithTemp();
        update(seedMaterial);
        reseedCounter = 1;
        Arrays.fill(seedMaterial, (byte) 0);
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
        byte[] seedMaterial = new byte[SEED_BYTES];
        df.derive(seedMaterial, entropy, additional);
        update(seedMaterial);
        reseedCounter = 1;
        Arrays.fill(seedMaterial, (byte) 0);
    }

    /**
     * §10.2.1.5.2, without additional input.
     *
     * @param length 1 to {@link #MAX_REQUEST_BYTES}
     */
    void generate(byte[] out, int offset, int length) {
        requireRequest(out, offset, length);
        giveOut(out, offset, length);
        update(ZEROS);
        reseedCounter++;
    }

    /** As {@link #generate(byte[], int, int)}, with additional input. */
    void generate(byte[] out, int offset, int length, byte[] additional) {
        if (additional.length == 0) {
            generate(out, offset, length);
            return;
        }
        requireRequest(out, offset, length);
        byte[] derived = new byte[SEED_BYTES];
        df.derive(derived, additional);
        update(derived);
        giveOut(out, offset, length);
        update(derived);
        reseedCounter++;
        Arrays.fill(derived, (byte) 0);
    }

    /** §9.4: forgets the state. May be instantiated anew. */
    void uninstantiate() {
        reseedCounter = 0;
        rekeyWithTemp();
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

    private void requireRequest(byte[] out, int offset, int length) {
        requireState();
        Objects.checkFromIndexSize(offset, length, out.length);
        if (length < 1 || length > MAX_REQUEST_BYTES) {
            throw new IllegalArgumentException("request of " + length + " bytes");
        }
        // §10.2.1.5.2, step 1
        if (reseedCounter > reseedInterval) {
            throw new IllegalStateException("reseed required");
        }
    }

    private void giveOut(byte[] out, int offset, int length) {
        for (int done = 0; done < length; done += PIECE_BYTES) {
            int piece = Math.min(PIECE_BYTES, length - done);
            keystream.encrypt(ZEROS, 0, piece, out, offset + done);
        }
        // Step 4.3: whole blocks are used up, whatever is taken of the last one.
        int left = -length & (Aes256.BLOCK_BYTES - 1);
        if (left > 0) {
            keystream.encrypt(ZEROS, 0, left, temp, 0);
        }
    }

    /** §10.2.1.2, CTR_DRBG_Update: the counter has been going on since V + 1, so the next bytes are its temp. */
    private void update(byte[] providedData) {
        keystream.encrypt(providedData, 0, SEED_BYTES, temp, 0);
        rekeyWithTemp();
    }

    /** Key and V from {@link #temp}, which is zero afterwards. */
    private void rekeyWithTemp() {
        int at = SEED_BYTES;
        do {
            temp[--at]++;
        } while (temp[at] == 0 && at > Aes256.KEY_BYTES);
        keystream.rekey(temp, temp, Aes256.KEY_BYTES);
        Arrays.fill(temp, (byte) 0);
    }
}
