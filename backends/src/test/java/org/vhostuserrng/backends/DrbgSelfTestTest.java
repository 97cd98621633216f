package org.vhostuserrng.backends;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;

class DrbgSelfTestTest {
    @Test
    void passesHere() {
        assertDoesNotThrow(DrbgSelfTest::run);
    }

    @Test
    void noticesAnotherAnswer() {
        assertFalse(DrbgSelfTest.isAnsweredWith(new byte[64]));
    }
}
