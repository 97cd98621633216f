package org.vhostuserrng.backends.limiter;

/**
 * A guest's share of the total.
 *
 * @param weight relative to the weights of other guests, 1 to {@link #MAX_WEIGHT}
 * @param minBytes bytes guaranteed per period of the total, even if other guests want all of it; at least 0
 */
public record DrrGuestConfig(int weight, long minBytes) {
    /** The highest weight. */
    public static final int MAX_WEIGHT = 1000;

    /** The lowest weight and no guarantee. */
    public static final DrrGuestConfig DEFAULT = new DrrGuestConfig(1, 0);

    /** Validates the ranges. */
    public DrrGuestConfig {
        if (weight < 1 || weight > MAX_WEIGHT) {
            throw new IllegalArgumentException("weight " + weight);
        }
        if (minBytes < 0) {
            throw new IllegalArgumentException("min-bytes " + minBytes);
        }
    }
}
