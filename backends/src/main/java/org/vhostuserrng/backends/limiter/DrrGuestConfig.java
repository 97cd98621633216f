package org.vhostuserrng.backends.limiter;

/**
 * A guest's share of the total rate limit.
 *
 * @param weight the guest's weight relative to those of other guests, 1 to {@link #MAX_WEIGHT}
 * @param minBytes number of bytes per period of the total that the guest can always receive, even if other guests
 *     request the whole total; 0 for no guarantee
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
