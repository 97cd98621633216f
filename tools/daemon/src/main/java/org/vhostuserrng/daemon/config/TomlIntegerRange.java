package org.vhostuserrng.daemon.config;

import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks that the integers of a TOML text fit in 64 bits (TOML 1.0, "Integer"). The parser would otherwise store the
 * lowest 64 bits of a larger integer, and 2⁶⁴ would become the user ID 0.
 */
final class TomlIntegerRange {
    /** Comments and strings, which are skipped; integers of more than 15 digits; line ends and other characters. */
    private static final Pattern TOKEN = Pattern.compile("#[^\n]*"
            + "|\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''"
            + "|\"(?:[^\"\\\\\n]++|\\\\.)*+\"|'[^'\n]*'"
            + "|(?<integer>(?<![\\w.-])[+-]?(?:0x[0-9A-Fa-f_]{15,}|0o[0-7_]{15,}|0b[01_]{15,}|[0-9_]{15,})"
            + "(?![\\w.]))");

    private static final int LONG_BITS = 63;

    private TomlIntegerRange() {}

    /** Returns the first integer that does not fit in 64 bits, with its position; null if all fit. */
    static Excess firstExcess(String text) {
        Matcher tokens = TOKEN.matcher(text);
        while (tokens.find()) {
            String integer = tokens.group("integer");
            if (integer != null
                    && isValue(text, tokens.start())
                    && value(integer).bitLength() > LONG_BITS) {
                int line = 1
                        + (int) text.substring(0, tokens.start())
                                .chars()
                                .filter(c -> c == '\n')
                                .count();
                return new Excess(integer, line);
            }
        }
        return null;
    }

    /** An integer that is out of range, and its line, from 1. */
    record Excess(String integer, int line) {}

    /** Returns whether the text at a position follows {@code =}, or is in an array, as opposed to a key. */
    private static boolean isValue(String text, int start) {
        int before = start - 1;
        while (before >= 0 && Character.isWhitespace(text.charAt(before))) {
            before--;
        }
        return before >= 0 && "=,[".indexOf(text.charAt(before)) >= 0;
    }

    private static BigInteger value(String integer) {
        String digits = integer.replace("_", "").replace("+", "");
        boolean negative = digits.startsWith("-");
        String unsigned = negative ? digits.substring(1) : digits;
        int radix = unsigned.startsWith("0x") ? 16 : unsigned.startsWith("0o") ? 8 : unsigned.startsWith("0b") ? 2 : 10;
        BigInteger value = new BigInteger(radix == 10 ? unsigned : unsigned.substring(2), radix);
        return negative ? value.negate() : value;
    }
}
