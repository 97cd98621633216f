package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

class GetrandomSourceSpecTest {
    @ParameterizedTest
    @ValueSource(strings = {"getrandom", "getrandom,via=vdso", "getrandom,via=syscall"})
    void isParsedFromItsExpression(String expression) {
        assertEquals(expression, SourceExpressionParser.parse(expression).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"getrandom,via=", "getrandom,via", "getrandom,via=VDSO", "getrandom,via=fast"})
    void refusesOtherPaths(String expression) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> SourceExpressionParser.parse(expression));

        assertTrue(refused.getMessage().endsWith(": expected vdso or syscall"), refused::getMessage);
    }

    @Test
    void usesOnlyTheStatedPath() {
        String details = new GetrandomSourceSpec(GetrandomMethod.SYSCALL).hostDetails();

        assertEquals("64 B: syscall, 256 B: syscall, 1024 B: syscall, 4096 B: syscall", details);
    }

    @Test
    void refusesTheVdsoFunctionOnAnOlderKernel() {
        assumeTrue(!VdsoGetrandom.isAvailable(), "this kernel has the vDSO function");

        assertThrows(IOException.class, () -> new GetrandomSourceSpec(GetrandomMethod.VDSO).probe());
    }
}
