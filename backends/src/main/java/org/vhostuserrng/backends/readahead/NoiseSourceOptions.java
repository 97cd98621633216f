package org.vhostuserrng.backends.readahead;

/**
 * What an expression says of the noise of a raw source.
 *
 * @param minEntropy H of SP 800-90B §3.1.3: bits of a byte at least, above 0 and at most 8; {@link #UNSTATED}
 * @param tested whether health tests are made at all: not of a source that is said to be conditioned already
 */
public record NoiseSourceOptions(double minEntropy, boolean tested) {
    public static final double UNSTATED = 0;
    public static final NoiseSourceOptions NONE = new NoiseSourceOptions(UNSTATED, true);

    /** The stated min-entropy, or else what is assumed. */
    public double minEntropyOr(double assumed) {
        return statesMinEntropy() ? minEntropy : assumed;
    }

    public boolean statesMinEntropy() {
        return minEntropy != UNSTATED;
    }
}
