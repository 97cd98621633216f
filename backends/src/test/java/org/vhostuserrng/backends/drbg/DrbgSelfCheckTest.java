package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DrbgSelfCheckTest {
    @Test
    void passesWithThisJdk() {
        assertDoesNotThrow(DrbgSelfCheck::run);
    }

    @Test
    void longOutputMatchesSingleBlocks() {
        assertTrue(DrbgSelfCheck.matchesBlockwise());
    }

    @Test
    void detectsWrongAnswer() {
        assertFalse(DrbgSelfCheck.matchesKnownAnswer(new byte[64]));
    }
}
