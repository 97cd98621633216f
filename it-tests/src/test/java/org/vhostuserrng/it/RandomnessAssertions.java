package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;

/** What random bytes look like. */
final class RandomnessAssertions {
    private RandomnessAssertions() {}

    /**
     * Pearson's statistic over the 256 values of a byte has 255 degrees of freedom: mean 255, standard deviation
     * 22.6. The limits are 6.6 deviations away from the mean: below one false alarm in 10^9 runs. A statistic that is
     * too small is as wrong as a large one, since a counter's bytes are perfectly even.
     */
    static void assertLooksRandom(byte[] bytes) {
        long[] counts = new long[256];
        for (byte value : bytes) {
            counts[value & 0xff]++;
        }
        double expected = bytes.length / 256.0;
        double statistic = Arrays.stream(counts)
                .mapToDouble(count -> (count - expected) * (count - expected) / expected)
                .sum();
        assertTrue(statistic > 106 && statistic < 404, () -> "chi-square is " + statistic);
    }
}
