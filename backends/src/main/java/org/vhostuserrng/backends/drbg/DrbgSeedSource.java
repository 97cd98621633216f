package org.vhostuserrng.backends.drbg;

import org.vhostuserrng.backends.source.EntropySource;

/**
 * A source that seeds a DRBG.
 *
 * @param name as in the expression, for logs
 * @param source handle of this DRBG, closed with it
 * @param minEntropy H of SP 800-90B §3.1.3: bits of min-entropy per byte, above 0 and at most 8
 */
record DrbgSeedSource(String name, EntropySource source, double minEntropy) {
    /** The number of bytes that contain {@code bits} of entropy. */
    int bytesFor(int bits) {
        return (int) Math.ceil(bits / minEntropy);
    }
}
