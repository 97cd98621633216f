package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the adaptive proportion test (SP 800-90B §4.4.2). */
class AdaptiveProportionTesterTest {
    private final AdaptiveProportionTester tester = new AdaptiveProportionTester(8, 20);

    /** Adds a value several times. Returns whether the test failed. */
    private boolean add(int value, int times) {
        boolean failed = false;
        for (int i = 0; i < times; i++) {
            failed |= tester.addSample(value);
        }
        return failed;
    }

    @Test
    void failsAtTheCutoff() {
        assertFalse(add(7, tester.cutoff() - 1));
        assertTrue(add(7, 1));
    }

    @Test
    void everyWindowCountsFromZero() {
        assertFalse(add(7, tester.cutoff() - 1));
        assertFalse(add(8, AdaptiveProportionTester.WINDOW - tester.cutoff() + 1));

        assertFalse(add(7, tester.cutoff() - 1));
        assertTrue(add(7, 1));
    }

    @Test
    void countsTheFirstValueOfTheWindowOnly() {
        add(7, 1);

        assertFalse(add(8, AdaptiveProportionTester.WINDOW - 1));
    }

    /**
     * The values of SP 800-90B §4.4.2, table 2, for α = 2^−20, and others that another program computed from the
     * formula.
     */
    @ParameterizedTest
    @CsvSource({
        "8, 20, 13",
        "7, 20, 18",
        "6, 20, 25",
        "4, 20, 62",
        "2, 20, 177",
        "1, 20, 311",
        "0.5, 20, 410",
        "8, 30, 16",
        "7, 30, 22",
        "6, 30, 31",
        "4, 30, 71",
        "2, 30, 190",
        "1, 30, 325",
        "0.5, 30, 422",
        "0.1, 30, 507",
        "8, 40, 19",
        "7, 40, 26",
        "6, 40, 35",
        "4, 40, 78",
        "2, 40, 201",
        "1, 40, 336",
        "0.5, 40, 432",
        "0.1, 40, 510"
    })
    void cutoffs(double minEntropy, int minusLog2Alpha, int cutoff) {
        assertEquals(cutoff, new AdaptiveProportionTester(minEntropy, minusLog2Alpha).cutoff());
    }

    /**
     * Compares the cutoff with the exact binomial distribution in integers: p = 2^−H, and all terms are multiplied by
     * 2^(HW).
     */
    @ParameterizedTest
    @CsvSource({"1, 20", "1, 33", "1, 40", "3, 40", "5, 20", "8, 30", "8, 40"})
    void cutoffIsTheSmallestCountWithATailOfAtMostAlpha(int minEntropy, int minusLog2Alpha) {
        int window = AdaptiveProportionTester.WINDOW;
        BigInteger limit = BigInteger.TWO.pow(minEntropy * window - minusLog2Alpha);
        BigInteger others = BigInteger.TWO.pow(minEntropy).subtract(BigInteger.ONE);
        BigInteger choose = BigInteger.ONE;
        BigInteger tail = BigInteger.ZERO;
        int count = window;
        while (tail.add(choose.multiply(others.pow(window - count))).compareTo(limit) <= 0) {
            tail = tail.add(choose.multiply(others.pow(window - count)));
            choose = choose.multiply(BigInteger.valueOf(count)).divide(BigInteger.valueOf(window - count + 1L));
            count--;
        }

        assertEquals(count + 1, new AdaptiveProportionTester(minEntropy, minusLog2Alpha).cutoff());
    }

    @Test
    void windowOfEqualSamplesPassesIfItIsLikely() {
        AdaptiveProportionTester almostConstant = new AdaptiveProportionTester(0.02, 40);
        boolean failed = false;
        for (int i = 0; i < 3 * AdaptiveProportionTester.WINDOW; i++) {
            failed |= almostConstant.addSample(7);
        }

        assertFalse(failed);
    }

    @Test
    void countsOfTheWindowSurviveAChangeOfAlpha() {
        assertFalse(add(7, tester.cutoff() - 1));

        tester.setMinusLog2Alpha(40);

        assertFalse(add(7, tester.cutoff() - 13));
        assertTrue(add(7, 1));
    }
}
