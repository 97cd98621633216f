package org.vhostuserrng.backends.readahead;

/**
 * The options of an expression that describe a noise source.
 *
 * @param minEntropy H of SP 800-90B §3.1.3: bits of min-entropy per byte, above 0 and at most 8, or
 *     {@link #MIN_ENTROPY_UNSET}
 * @param healthTests who runs the health tests
 */
public record NoiseSourceOptions(double minEntropy, HealthTests healthTests) {
    /** Who runs the health tests of a source. */
    public enum HealthTests {
        /** The source runs them. */
        ON,
        /** Nobody runs them: {@code health=off}. */
        OFF,
        /** The program that reads the source runs them, and therefore needs its raw output. */
        BY_READER
    }

    /** The value of {@link #minEntropy} if the expression states none. */
    public static final double MIN_ENTROPY_UNSET = 0;

    /** The options of an expression without options. */
    public static final NoiseSourceOptions NONE = new NoiseSourceOptions(MIN_ENTROPY_UNSET, HealthTests.ON);

    /** Returns the stated min-entropy, or {@code defaultValue} if the expression states none. */
    public double minEntropyOrDefault(double defaultValue) {
        return hasMinEntropy() ? minEntropy : defaultValue;
    }

    /** Returns whether the expression states a min-entropy. */
    public boolean hasMinEntropy() {
        return minEntropy != MIN_ENTROPY_UNSET;
    }
}
