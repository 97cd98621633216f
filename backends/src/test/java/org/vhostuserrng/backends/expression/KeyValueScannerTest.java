package org.vhostuserrng.backends.expression;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyValueScannerTest {
    private static final String ALPHABET = ",,,,=()+\\\"' ab\u00e9\ud83c\udfb2";

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(12); length > 0; length--) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {"a;a", "a,b;a", "a,,b;a,b", "a,,,b;a,", ",,;','", ",;''", "'';''", "a=b;a=b", "a\\,b;a\\"})
    void readsValueUpToSingleComma(String text, String value) {
        assertEquals(value, new KeyValueScanner(text).value());
    }

    @Test
    void readsOptionsInOrder() {
        KeyValueScanner scanner = new KeyValueScanner("name,b=1,a=,flag,c=x,,y=z");

        scanner.value();

        assertEquals("{b=1, a=, flag=, c=x,y=z}", scanner.options().toString());
        assertTrue(scanner.isAtEnd());
    }

    @Test
    void refusesRepeatedOption() {
        KeyValueScanner scanner = new KeyValueScanner(",a=1,a=2");

        assertThrows(IllegalArgumentException.class, scanner::options);
    }

    @Test
    void terminatorEndsValue() {
        KeyValueScanner scanner = new KeyValueScanner("a,,b+c");

        assertEquals("a,b", scanner.value("+)"));
        assertEquals("+c", scanner.remaining());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void quotedTextIsReadUnchanged(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            String name = randomText(random);
            Map<String, String> options = new LinkedHashMap<>();
            StringBuilder text = new StringBuilder(KeyValueScanner.quote(name));
            for (int key = random.nextInt(4); key > 0; key--) {
                String value = randomText(random);
                options.put("key" + key, value);
                text.append(",key").append(key).append('=').append(KeyValueScanner.quote(value));
            }
            KeyValueScanner scanner = new KeyValueScanner(text.toString());

            assertEquals(name, scanner.value(), text::toString);
            assertEquals(options, scanner.options(), text::toString);
            assertTrue(scanner.isAtEnd(), text::toString);
        }
    }
}
