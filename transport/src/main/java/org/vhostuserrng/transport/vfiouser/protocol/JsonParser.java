package org.vhostuserrng.transport.vfiouser.protocol;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A strict parser of JSON (RFC 8259) for the text of an untrusted peer. The text is bounded by the caller, the nesting
 * by {@link #MAX_DEPTH}; an object must not have a name twice. Any thread; one instance per text.
 */
final class JsonParser {
    /** Maximum nesting of objects and arrays. */
    static final int MAX_DEPTH = 16;

    /** Digits of a number that always fit a long. */
    private static final int MAX_LONG_DIGITS = 18;

    /** The value {@code null}. */
    static final Object NULL = new Object();

    private static final int END = -1;
    private static final int HEX = 16;
    private static final int UNICODE_DIGITS = 4;
    private static final int FIRST_PRINTABLE = 0x20;
    private static final int FIRST_NON_ASCII = 0x80;

    private final String text;
    private int position;

    private JsonParser(String text) {
        this.text = text;
    }

    /**
     * Parses a text.
     *
     * @return a Map, List, String, Boolean, {@link #NULL}, Long for an integer of at most 18 digits, or Double
     */
    static Object parse(String text) throws InvalidJsonException {
        JsonParser parser = new JsonParser(text);
        Object value = parser.value(0);
        parser.skipWhitespace();
        if (parser.position < text.length()) {
            throw parser.invalid("expected the end");
        }
        return value;
    }

    private Object value(int depth) throws InvalidJsonException {
        skipWhitespace();
        return switch (peek()) {
            case '{' -> object(depth + 1);
            case '[' -> array(depth + 1);
            case '"' -> string();
            case 't' -> literal("true", true);
            case 'f' -> literal("false", false);
            case 'n' -> literal("null", NULL);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) throws InvalidJsonException {
        enter(depth);
        Map<String, Object> members = new HashMap<>();
        if (skip('}')) {
            return members;
        }
        do {
            skipWhitespace();
            String name = string();
            if (!skip(':')) {
                throw invalid("expected ':'");
            }
            if (members.put(name, value(depth)) != null) {
                throw invalid("a name that the object already has");
            }
        } while (skip(','));
        if (!skip('}')) {
            throw invalid("expected ',' or '}'");
        }
        return members;
    }

    private List<Object> array(int depth) throws InvalidJsonException {
        enter(depth);
        List<Object> elements = new ArrayList<>();
        if (skip(']')) {
            return elements;
        }
        do {
            elements.add(value(depth));
        } while (skip(','));
        if (!skip(']')) {
            throw invalid("expected ',' or ']'");
        }
        return elements;
    }

    private void enter(int depth) throws InvalidJsonException {
        if (depth > MAX_DEPTH) {
            throw invalid("nested more than " + MAX_DEPTH + " times");
        }
        position++;
    }

    private String string() throws InvalidJsonException {
        if (peek() != '"') {
            throw invalid("expected a string");
        }
        position++;
        StringBuilder out = new StringBuilder();
        for (int next = next(); next != '"'; next = next()) {
            if (next < FIRST_PRINTABLE) {
                throw invalid("expected '\"'");
            }
            out.append(next == '\\' ? escaped() : (char) next);
        }
        return out.toString();
    }

    private char escaped() throws InvalidJsonException {
        int escape = next();
        return switch (escape) {
            case '"', '\\', '/' -> (char) escape;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> throw invalid("unknown escape");
        };
    }

    private char unicode() throws InvalidJsonException {
        int unit = 0;
        for (int i = 0; i < UNICODE_DIGITS; i++) {
            int next = next();
            int digit = next == END ? END : Character.digit(next, HEX);
            if (digit < 0 || next >= FIRST_NON_ASCII) {
                throw invalid("expected a hexadecimal digit");
            }
            unit = HEX * unit + digit;
        }
        return (char) unit;
    }

    private Object literal(String word, Object value) throws InvalidJsonException {
        if (!text.startsWith(word, position)) {
            throw invalid("expected a value");
        }
        position += word.length();
        return value;
    }

    private Object number() throws InvalidJsonException {
        int begin = position;
        skipOne('-');
        int firstDigit = position;
        int digits = digits();
        if (digits == 0 || (digits > 1 && text.charAt(firstDigit) == '0')) {
            position = begin;
            throw invalid("expected a value");
        }
        boolean integer = true;
        if (skipOne('.')) {
            integer = false;
            requireDigits();
        }
        if (skipOne('e') || skipOne('E')) {
            integer = false;
            if (!skipOne('-')) {
                skipOne('+');
            }
            requireDigits();
        }
        String lexeme = text.substring(begin, position);
        // No conditional expression, which would convert the Long to a Double.
        if (integer && digits <= MAX_LONG_DIGITS) {
            return Long.valueOf(lexeme);
        }
        return Double.valueOf(lexeme);
    }

    private void requireDigits() throws InvalidJsonException {
        if (digits() == 0) {
            throw invalid("expected a digit");
        }
    }

    /** Skips digits, and returns how many. */
    private int digits() {
        int begin = position;
        while (peek() >= '0' && peek() <= '9') {
            position++;
        }
        return position - begin;
    }

    private boolean skipOne(char expected) {
        boolean found = peek() == expected;
        position += found ? 1 : 0;
        return found;
    }

    /** Skips whitespace and then a character, if it is the next one. */
    private boolean skip(char expected) {
        skipWhitespace();
        return skipOne(expected);
    }

    private void skipWhitespace() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') {
            position++;
        }
    }

    private int peek() {
        return position < text.length() ? text.charAt(position) : END;
    }

    private int next() {
        int next = peek();
        position++;
        return next;
    }

    private InvalidJsonException invalid(String expectation) {
        return new InvalidJsonException(expectation + " at character " + Math.min(position, text.length()));
    }
}
