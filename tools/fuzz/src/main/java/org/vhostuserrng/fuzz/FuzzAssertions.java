package org.vhostuserrng.fuzz;

/** Assertions of the fuzz targets. They throw an {@link AssertionError}, which Jazzer reports as a finding. */
public final class FuzzAssertions {
    private FuzzAssertions() {}

    /** Throws an error with {@code message} unless the condition is true. */
    public static void require(boolean condition, String message) {
        if (!condition) {
            throw new AssertionError(message);
        }
    }

    /** Throws an error unless two numbers are equal. */
    public static void requireEqual(long expected, long actual, String what) {
        if (expected != actual) {
            throw new AssertionError(what + ": expected " + expected + ", was " + actual);
        }
    }

    /** Throws an error unless a text is a single line that is not blank and has no control characters. */
    public static void requireOneLine(String text) {
        require(text != null && !text.isBlank(), "empty text");
        require(text.codePoints().noneMatch(FuzzAssertions::isControl), "text is not one line: " + text);
    }

    private static boolean isControl(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.CONTROL || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
    }
}
