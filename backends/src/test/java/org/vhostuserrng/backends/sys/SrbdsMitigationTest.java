package org.vhostuserrng.backends.sys;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kernel says of SRBDS, and what that means for those who share the host. */
class SrbdsMitigationTest {
    @ParameterizedTest
    @ValueSource(strings = {"Not affected", "Mitigation: TSX disabled"})
    void isNoneOnASoundProcessor(String kernelSays) {
        assertNull(RdrandRdseed.harm(kernelSays));
    }

    @ParameterizedTest
    @CsvSource({
        "Mitigation: Microcode, slows down",
        "Vulnerable, may see",
        "Vulnerable: No microcode, may see",
        "Unknown: Dependent on hypervisor status, may see"
    })
    void isSlownessWithTheMitigationAndALeakWithout(String kernelSays, String harm) {
        String said = RdrandRdseed.harm(kernelSays);

        assertTrue(said.contains(harm), said);
        assertTrue(said.contains(kernelSays), said);
    }
}
