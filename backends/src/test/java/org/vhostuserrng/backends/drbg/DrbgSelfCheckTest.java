package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DrbgSelfCheckTest {
    @Test
    void passesHere() {
        assertDoesNotThrow(DrbgSelfCheck::run);
    }

    @ParameterizedTest
    @MethodSource("org.vhostuserrng.backends.drbg.Aes256Test#providers")
    void comparesLongAnswersToShortOnes(AesProvider aes) {
        assertTrue(DrbgSelfCheck.givesTheSameInOnePiece(aes));
    }

    @ParameterizedTest
    @MethodSource("org.vhostuserrng.backends.drbg.Aes256Test#providers")
    void noticesAnotherAnswer(AesProvider aes) {
        assertFalse(DrbgSelfCheck.isAnsweredWith(new byte[64], aes));
    }
}
