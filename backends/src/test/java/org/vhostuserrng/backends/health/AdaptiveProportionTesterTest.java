package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** SP 800-90B §4.4.2. */
class AdaptiveProportionTesterTest {
    private final AdaptiveProportionTester tester = new AdaptiveProportionTester(8);

    /** Adds a value; returns whether the test failed. */
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
}
