package org.vhostuserrng.transport.vhostuser.inflight;

/**
 * A u32 and its check value in one u64, so that one store writes both. The value is in the lower half, and its
 * complement XOR a tag in the upper half. Each field has its own tag, or one tag for each state. The tags of two states
 * differ in each byte, so that a flipped byte does not give another valid word.
 */
public final class ChecksummedWord {
    private static final int VALUE_BITS = 32;

    private ChecksummedWord() {}

    /** Returns the word of a value. */
    public static long of(int value, int tag) {
        return (long) (~value ^ tag) << VALUE_BITS | Integer.toUnsignedLong(value);
    }

    /** Returns whether the word has a check value for this tag. */
    public static boolean isValid(long word, int tag) {
        return word == of(value(word), tag);
    }

    /** The value of a word. */
    public static int value(long word) {
        return (int) word;
    }
}
