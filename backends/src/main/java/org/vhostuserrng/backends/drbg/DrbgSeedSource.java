package org.vhostuserrng.backends.drbg;

import org.vhostuserrng.backends.source.EntropySource;

/**
 * A source that seeds a DRBG.
 *
 * @param name the source as in the expression, for log lines
 * @param source the DRBG's own handle of the source, which the DRBG closes
 * @param minEntropy H of SP 800-90B §3.1.3: bits of min-entropy per byte, above 0 and at most 8
 */
record DrbgSeedSource(String name, EntropySource source, double minEntropy) {
    /** Returns the number of bytes that contain {@code bits} bits of entropy. */
    int bytesFor(int bits) {
        return (int) Math.ceil(bits / minEntropy);
    }
}
