package org.vhostuserrng.backends.limiter;

/**
 * What one guest may claim of what all the guests of a host share.
 *
 * @param weight its part of what there is, relative to the others', 1 to {@link #LARGEST_WEIGHT}
 * @param minBytes what it gets in one period of the total even if the others want all of it, at least 0
 */
public record DrrGuestConfig(int weight, long minBytes) {
    public static final int LARGEST_WEIGHT = 1000;

    /** As much as anybody. */
    public static final DrrGuestConfig DEFAULT = new DrrGuestConfig(1, 0);

    /** Refuses what is out of range. */
    public DrrGuestConfig {
        if (weight < 1 || weight > LARGEST_WEIGHT) {
            throw new IllegalArgumentException("weight " + weight);
        }
        if (minBytes < 0) {
            throw new IllegalArgumentException("min-bytes " + minBytes);
        }
    }
}
