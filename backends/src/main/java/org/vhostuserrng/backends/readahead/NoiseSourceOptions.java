package org.vhostuserrng.backends.readahead;

/**
 * The options of an expression that describe a noise source.
 *
 * @param minEntropy H of SP 800-90B §3.1.3: bits of min-entropy per byte, above 0 and at most 8, or
 *     {@link #MIN_ENTROPY_UNSET}
 * @param healthTests who tests the output
 */
public record NoiseSourceOptions(double minEntropy, HealthTests healthTests) {
    /** Who runs the health tests of a source. */
    public enum HealthTests {
        /** The source. */
        ON,
        /** Nobody, as the expression says: {@code health=off}. */
        OFF,
        /** The program that reads the source, which needs its raw output. */
        BY_READER
    }

    /** The expression states no min-entropy. */
    public static final double MIN_ENTROPY_UNSET = 0;

    /** An expression without options. */
    public static final NoiseSourceOptions NONE = new NoiseSourceOptions(MIN_ENTROPY_UNSET, HealthTests.ON);

    /** The stated min-entropy, or {@code defaultValue} if none is stated. */
    public double minEntropyOrDefault(double defaultValue) {
        return hasMinEntropy() ? minEntropy : defaultValue;
    }

    /** Whether the expression states a min-entropy. */
    public boolean hasMinEntropy() {
        return minEntropy != MIN_ENTROPY_UNSET;
    }
}
