package org.vhostuserrng.daemon;

/**
 * The kind of a numeric option's value, which determines its unit and suffixes. {@code k}, {@code M} and {@code G} are
 * powers of 1024.
 */
enum NumberUnit {
    /** A plain number. */
    NONE(Dimension.COUNT, 1, 1, ""),
    /** A size in bytes. */
    BYTES(Dimension.SIZE, 1, 1, ", alone or with k, M or G"),
    /** A size in bytes; a number without a suffix is in GiB. */
    GIB(Dimension.SIZE, 1 << 30, 1, " (GiB), or a size with k, M or G"),
    /** A time in µs. */
    MICROS(Dimension.TIME, 1, 1, " (µs), or a time with us, ms, s or min"),
    /** A time in ms. */
    MILLIS(Dimension.TIME, 1000, 1000, " (ms), or a time with us, ms, s or min"),
    /** A time in s. */
    SECONDS(Dimension.TIME, 1_000_000, 1_000_000, " (s), or a time with us, ms, s or min");

    private enum Dimension {
        COUNT,
        SIZE,
        TIME
    }

    private static final long UNKNOWN = -1;

    private final Dimension dimension;
    private final long plain;
    private final long result;
    private final String syntax;

    /**
     * Creates a kind of value.
     *
     * @param plain unit of a number without a suffix, in bytes or µs
     * @param result unit of the result of {@link #parse}, in bytes or µs
     * @param syntax text that follows the range in messages
     */
    NumberUnit(Dimension dimension, long plain, long result, String syntax) {
        this.dimension = dimension;
        this.plain = plain;
        this.result = result;
        this.syntax = syntax;
    }

    /**
     * Parses a whole number and its suffix.
     *
     * @throws NumberFormatException if the text is not a number, has an unknown suffix, exceeds 2^63-1, or is not a
     *     multiple of the unit of the result
     */
    long parse(String text) {
        int end = text.length();
        while (end > 0 && !isDigit(text.charAt(end - 1))) {
            end--;
        }
        String suffix = text.substring(end);
        long multiple = suffix.isEmpty() ? plain : multiple(suffix);
        if (multiple == UNKNOWN) {
            throw new NumberFormatException("unknown unit");
        }
        long number = Long.parseLong(text, 0, end, 10);
        try {
            long product = Math.multiplyExact(number, multiple);
            if (product % result != 0) {
                throw new NumberFormatException("not a multiple of the unit");
            }
            return product / result;
        } catch (ArithmeticException overflow) {
            throw new NumberFormatException("too large");
        }
    }

    /** Returns the multiplier of a suffix, in bytes or µs; {@code UNKNOWN} if there is no such suffix. */
    private long multiple(String suffix) {
        return switch (dimension) {
            case COUNT -> UNKNOWN;
            case SIZE ->
                switch (suffix) {
                    case "k", "K" -> 1L << 10;
                    case "m", "M" -> 1L << 20;
                    case "g", "G" -> 1L << 30;
                    default -> UNKNOWN;
                };
            case TIME ->
                switch (suffix) {
                    case "us" -> 1;
                    case "ms" -> 1000;
                    case "s" -> 1_000_000;
                    case "min" -> 60_000_000;
                    default -> UNKNOWN;
                };
        };
    }

    /** Returns the range of numbers without a suffix, and the permitted suffixes, for messages. */
    String describe(long min, long max) {
        return range(min, max) + syntax;
    }

    /** Returns the range of numbers without a suffix, for messages. */
    String range(long min, long max) {
        long unit = plain / result;
        return Math.ceilDiv(min, unit) + " to " + text(max / unit);
    }

    private static boolean isDigit(char character) {
        return character >= '0' && character <= '9';
    }

    /** Returns a number for messages; {@code 2^63-1} for {@link Long#MAX_VALUE}. */
    static String text(long number) {
        return number == Long.MAX_VALUE ? "2^63-1" : Long.toString(number);
    }
}
