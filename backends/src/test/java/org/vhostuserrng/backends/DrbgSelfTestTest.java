package org.vhostuserrng.backends;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DrbgSelfTestTest {
    @Test
    void passesHere() {
        assertDoesNotThrow(DrbgSelfTest::run);
    }

    @ParameterizedTest
    @MethodSource("org.vhostuserrng.backends.Aes256Test#providers")
    void comparesLongAnswersToShortOnes(AesProvider aes) {
        assertTrue(DrbgSelfTest.givesTheSameInOnePiece(aes));
    }

    @ParameterizedTest
    @MethodSource("org.vhostuserrng.backends.Aes256Test#providers")
    void noticesAnotherAnswer(AesProvider aes) {
        assertFalse(DrbgSelfTest.isAnsweredWith(new byte[64], aes));
    }
}
