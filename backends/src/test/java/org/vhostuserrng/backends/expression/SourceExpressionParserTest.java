package org.vhostuserrng.backends.expression;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceExpressionParserTest {
    private static String nested(int depth) {
        return "xor(getrandom,".repeat(depth - 1) + "getrandom" + ")".repeat(depth - 1);
    }

    private static String errorMessage(String expression) {
        return assertThrows(IllegalArgumentException.class, () -> SourceExpressionParser.parse(expression))
                .getMessage();
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:/a\nb", "file:/a,\u001b[2J=1", "get\0random", "file:/\u2028"})
    void errorDoesNotContainControlCharacters(String expression) {
        String message = errorMessage(expression);

        assertTrue(message.chars().noneMatch(c -> c < ' ' || c == '\u2028'), message);
    }

    @Test
    void parsesSixteenNestedSources() {
        assertEquals(nested(16), SourceExpressionParser.parse(nested(16)).toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {17, 100_000})
    void refusesDeeperNesting(int depth) {
        assertEquals("sources are nested more than 16 deep", errorMessage(nested(depth)));
    }
}
