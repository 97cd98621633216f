package org.vhostuserrng.backends;

import java.util.concurrent.TimeUnit;

/**
 * When a DRBG is given new entropy. From the first limit on it is collected, while requests go on being served; at
 * twice the limit they wait for it.
 *
 * @param reseedBytes generated since the last seed; at least 1
 * @param reseedNanos passed since the last seed, looked at when something is asked for; at least 1
 * @param predictionResistance new entropy for each request, SP 800-90Ar1 §8.8
 */
record DrbgPolicy(long reseedBytes, long reseedNanos, boolean predictionResistance) {
    /**
     * A guest that takes 1.5 GB/s costs its seed sources a kilobyte or two a second then, so that it cannot dry up a slow
     * one for the others. The standard would allow 2^48 requests.
     */
    static final long DEFAULT_RESEED_BYTES = 64L << 20;

    /** How long at most a state that became known goes on being of use: as the kernel's own generator once had it. */
    static final long DEFAULT_RESEED_SECONDS = 300;

    static final DrbgPolicy DEFAULT =
            new DrbgPolicy(DEFAULT_RESEED_BYTES, TimeUnit.SECONDS.toNanos(DEFAULT_RESEED_SECONDS), false);

    boolean isDue(long bytes, long nanos) {
        return bytes >= reseedBytes || nanos >= reseedNanos;
    }

    boolean isOverdue(long bytes, long nanos) {
        return bytes / 2 >= reseedBytes || nanos / 2 >= reseedNanos;
    }
}
