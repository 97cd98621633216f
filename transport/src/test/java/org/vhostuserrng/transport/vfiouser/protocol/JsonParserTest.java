package org.vhostuserrng.transport.vfiouser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonParserTest {
    @Test
    void parsesNestedValues() throws InvalidJsonException {
        Object value = JsonParser.parse(" {\"a\" : [1, -2.5e1, true, false, {}, []], \"b\": \"x\"}\n");

        assertEquals(Map.of("a", List.of(1L, -25.0, true, false, Map.of(), List.of()), "b", "x"), value);
    }

    @Test
    void parsesNull() throws InvalidJsonException {
        assertEquals(Map.of("a", JsonParser.NULL), JsonParser.parse("{\"a\":null}"));
    }

    @Test
    void parsesEscapes() throws InvalidJsonException {
        assertEquals("\"\\/\b\f\n\r\tA", JsonParser.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""));
    }

    @Test
    void parsesIntegersOf18DigitsExactly() throws InvalidJsonException {
        assertEquals(999_999_999_999_999_999L, JsonParser.parse("999999999999999999"));
    }

    @Test
    void parsesLongerIntegersAsDoubles() throws InvalidJsonException {
        assertEquals(1e19, JsonParser.parse("10000000000000000000"));
    }

    @Test
    void acceptsTheMaximumDepth() throws InvalidJsonException {
        String nested = "[".repeat(JsonParser.MAX_DEPTH) + "]".repeat(JsonParser.MAX_DEPTH);

        assertEquals(1, ((List<?>) JsonParser.parse(nested)).size());
    }

    @Test
    void refusesGreaterDepth() {
        String nested = "[".repeat(JsonParser.MAX_DEPTH + 1) + "]".repeat(JsonParser.MAX_DEPTH + 1);

        assertThrows(InvalidJsonException.class, () -> JsonParser.parse(nested));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "}",
                "[",
                "[1",
                "[1,",
                "[1,]",
                "[,1]",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{a:1}",
                "{\"a\":1 \"b\":2}",
                "{\"a\":1,\"a\":2}",
                "{\"a\":null,\"a\":1}",
                "{} {}",
                "nul",
                "truE",
                "01",
                "-",
                "+1",
                ".5",
                "1.",
                "1e",
                "1e+",
                "0x10",
                "NaN",
                "Infinity",
                "\"",
                "\"a",
                "\"\\",
                "\"\\x\"",
                "\"\\u00g0\"",
                "\"\\u12\"",
                "\"a\nb\"",
                "'a'",
                "// comment\n1",
                "\u00a01",
                "{}\u0000"
            })
    void refusesWhatIsNotJson(String text) {
        assertThrows(InvalidJsonException.class, () -> JsonParser.parse(text));
    }
}
