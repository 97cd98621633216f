package org.vhostuserrng.fuzz;

/** What a target demands of the code it drives. A breach is an error, which no target declares. */
public final class FuzzAssertions {
    private FuzzAssertions() {}

    /**
     * Demands that something holds.
     *
     * @param otherwise what is wrong if it does not
     */
    public static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    /** Demands that two numbers are the same. */
    public static void requireEqual(long expected, long actual, String what) {
        if (expected != actual) {
            throw new AssertionError(what + ": expected " + expected + ", was " + actual);
        }
    }

    /** Demands that a text is one line that can be shown. */
    public static void requireOneLine(String text) {
        require(text != null && !text.isBlank(), "no text");
        require(text.codePoints().noneMatch(FuzzAssertions::isUnfit), "a text that is not one line: " + text);
    }

    private static boolean isUnfit(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.CONTROL || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
    }
}
