package org.vhostuserrng.backends.sys;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SrbdsMitigationTest {
    @ParameterizedTest
    @ValueSource(strings = {"Not affected", "Mitigation: TSX disabled"})
    void warnsNotOfUnaffectedProcessor(String status) {
        assertNull(SrbdsMitigation.warning(status));
    }

    @ParameterizedTest
    @CsvSource({
        "Mitigation: Microcode, slows down",
        "Vulnerable, can observe",
        "Vulnerable: No microcode, can observe",
        "Unknown: Dependent on hypervisor status, can observe"
    })
    void warnsOfSlownessWithMitigationAndLeakWithout(String status, String expected) {
        String warning = SrbdsMitigation.warning(status);

        assertTrue(warning.contains(expected), warning);
        assertTrue(warning.contains(status), warning);
    }
}
