package org.vhostuserrng.backends.readahead;

/**
 * The options of an expression that describe a noise source.
 *
 * @param minEntropy H of SP 800-90B §3.1.3: bits of min-entropy per byte, above 0 and at most 8, or
 *     {@link #MIN_ENTROPY_UNSET}
 * @param healthTested false for a source that is conditioned already ({@code health=off})
 */
public record NoiseSourceOptions(double minEntropy, boolean healthTested) {
    /** The expression states no min-entropy. */
    public static final double MIN_ENTROPY_UNSET = 0;

    /** An expression without options. */
    public static final NoiseSourceOptions NONE = new NoiseSourceOptions(MIN_ENTROPY_UNSET, true);

    /** The stated min-entropy, or {@code defaultValue} if none is stated. */
    public double minEntropyOrDefault(double defaultValue) {
        return hasMinEntropy() ? minEntropy : defaultValue;
    }

    /** Whether the expression states a min-entropy. */
    public boolean hasMinEntropy() {
        return minEntropy != MIN_ENTROPY_UNSET;
    }
}
