package org.vhostuserrng.backends.drbg;

import org.vhostuserrng.backends.source.EntropySource;

/**
 * One of the sources that a DRBG is seeded from.
 *
 * @param name as in the expression, for logs
 * @param source this DRBG's own handle, closed with it
 * @param minEntropy assessed bits of min-entropy in a byte, more than 0, at most 8
 */
record DrbgSeedSource(String name, EntropySource source, double minEntropy) {
    /** How many bytes have {@code bits} of entropy in them. */
    int bytesFor(int bits) {
        return (int) Math.ceil(bits / minEntropy);
    }
}
