package org.vhostuserrng.backends.expression;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A scanner for {@code VALUE[,KEY[=VALUE]]…}, the syntax of {@code --source} and {@code --guest}.
 *
 * <p>A comma in a value is written twice, as in QEMU's options. No other character has a special meaning for this
 * class. A key must not be empty or start with a comma.
 */
public final class KeyValueScanner {
    private static final char SEPARATOR = ',';

    private final String text;
    private int position;

    /** Creates a scanner at the start of {@code text}. */
    public KeyValueScanner(String text) {
        this.text = text;
    }

    /** Quotes a value, so that {@link #value} returns it unchanged. */
    public static String quote(String value) {
        return value.replace(",", ",,");
    }

    /** Reads a value up to a single comma or the end of the text. */
    public String value() {
        return value("");
    }

    /**
     * Reads all options that follow, each after a comma. An option without a value maps to the empty string.
     *
     * @throws IllegalArgumentException if an option is repeated
     */
    public Map<String, String> options() {
        return options("", _ -> true);
    }

    /**
     * Reads a value up to a single comma, one of {@code terminators} or the end of the text.
     *
     * @param terminators characters that end the value; the scanner does not read them
     */
    String value(String terminators) {
        StringBuilder value = new StringBuilder();
        while (!isAtEnd()) {
            char next = text.charAt(position);
            boolean quotedComma = next == SEPARATOR && text.startsWith(",,", position);
            if (!quotedComma && (next == SEPARATOR || terminators.indexOf(next) >= 0)) {
                break;
            }
            value.append(next);
            position += quotedComma ? 2 : 1;
        }
        return value.toString();
    }

    /**
     * Like {@link #value(String)}, for a command line: a terminator that is quoted for a shell is part of the value. A
     * comma must be written twice even if it is quoted.
     */
    String commandLine(String terminators) {
        StringBuilder value = new StringBuilder();
        char quote = 0;
        boolean escaped = false;
        while (!isAtEnd()) {
            char next = text.charAt(position);
            boolean quotedComma = next == SEPARATOR && text.startsWith(",,", position);
            boolean isTerminator = quote == 0 && !escaped && terminators.indexOf(next) >= 0;
            if (!quotedComma && (next == SEPARATOR || isTerminator)) {
                break;
            }
            if (escaped) {
                escaped = false;
            } else if (next == '\\' && quote != '\'') {
                escaped = true;
            } else if (next == quote) {
                quote = 0;
            } else if (quote == 0 && (next == '\'' || next == '"')) {
                quote = next;
            }
            value.append(next);
            position += quotedComma ? 2 : 1;
        }
        return value.toString();
    }

    /**
     * Reads the options that follow.
     *
     * @param terminators characters that end a value besides the comma
     * @param isKey returns whether the word after a comma is the key of an option
     */
    Map<String, String> options(String terminators, Predicate<String> isKey) {
        Map<String, String> options = new LinkedHashMap<>();
        while (!isAtEnd() && text.charAt(position) == SEPARATOR && isKey.test(keyAt(position + 1))) {
            position++;
            String option = value(terminators);
            int equals = option.indexOf('=');
            String key = equals < 0 ? option : option.substring(0, equals);
            if (options.put(key, equals < 0 ? "" : option.substring(equals + 1)) != null) {
                throw new IllegalArgumentException("option " + key + " is repeated");
            }
        }
        return options;
    }

    private String keyAt(int start) {
        int end = start;
        while (end < text.length() && "=,)".indexOf(text.charAt(end)) < 0) {
            end++;
        }
        return text.substring(start, end);
    }

    /** Reads {@code expected} if it is next in the text. Returns whether it was. */
    boolean skip(String expected) {
        boolean matches = text.startsWith(expected, position);
        position += matches ? expected.length() : 0;
        return matches;
    }

    boolean isAtEnd() {
        return position == text.length();
    }

    /** The text before the current position. */
    String consumed() {
        return text.substring(0, position);
    }

    /** The text from the current position on. */
    String remaining() {
        return text.substring(position);
    }
}
