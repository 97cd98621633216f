package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Converts text of the operating system, such as arguments and paths, which may be any sequence of bytes. Decodes UTF-8
 * without loss: a byte that belongs to no UTF-8 sequence becomes the lone surrogate U+DC00 + byte, as in Python's PEP
 * 383.
 */
public final class NativeText {
    private static final int ESCAPE = 0xdc00;
    private static final int FIRST_NON_ASCII = 0x80;

    private NativeText() {}

    /** Decodes bytes. {@link #encode} is the inverse for every sequence of bytes. */
    public static String decode(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length);
        int at = 0;
        while (at < bytes.length) {
            int length = sequenceLength(bytes, at);
            if (length == 0) {
                text.append((char) (ESCAPE + (bytes[at] & 0xff)));
                at++;
            } else {
                text.append(new String(bytes, at, length, StandardCharsets.UTF_8));
                at += length;
            }
        }
        return text.toString();
    }

    /** Encodes text as UTF-8, and each lone surrogate of {@link #decode} as the byte from which it was decoded. */
    public static byte[] encode(String text) {
        byte[] bytes = new byte[3 * text.length()];
        int length = 0;
        int at = 0;
        while (at < text.length()) {
            int codePoint = text.codePointAt(at);
            if (isEscapedByte(codePoint)) {
                bytes[length++] = (byte) codePoint;
            } else {
                byte[] encoded = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
                System.arraycopy(encoded, 0, bytes, length, encoded.length);
                length += encoded.length;
            }
            at += Character.charCount(codePoint);
        }
        return Arrays.copyOf(bytes, length);
    }

    /** Allocates a text as a C string. */
    public static MemorySegment allocate(Arena arena, String text) {
        return allocate(arena, encode(text));
    }

    /** Allocates bytes as a C string. */
    static MemorySegment allocate(Arena arena, byte[] bytes) {
        MemorySegment string = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, string, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return string;
    }

    /**
     * Returns whether a code point is a lone surrogate that {@link #decode} uses for a byte outside UTF-8 sequences.
     */
    static boolean isEscapedByte(int codePoint) {
        return codePoint >= ESCAPE + FIRST_NON_ASCII && codePoint <= ESCAPE + 0xff;
    }

    /** Returns whether a text consists of ASCII characters, which have the same encoding in all locales. */
    static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= FIRST_NON_ASCII) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns the text in one line for a log or a terminal: replaces control characters, format characters (which can
     * change the direction of text) and line separators by {@code ?}.
     */
    public static String printable(String text) {
        StringBuilder printable = null;
        int at = 0;
        while (at < text.length()) {
            int codePoint = text.codePointAt(at);
            if (isPrintable(codePoint)) {
                if (printable != null) {
                    printable.appendCodePoint(codePoint);
                }
            } else {
                if (printable == null) {
                    printable = new StringBuilder(text.length()).append(text, 0, at);
                }
                printable.append('?');
            }
            at += Character.charCount(codePoint);
        }
        return printable == null ? text : printable.toString();
    }

    private static boolean isPrintable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    /** Returns the length in bytes of the UTF-8 sequence at an index (RFC 3629 §4); 0 if there is no valid one. */
    private static int sequenceLength(byte[] bytes, int at) {
        int first = bytes[at] & 0xff;
        if (first < FIRST_NON_ASCII) {
            return 1;
        }
        int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) {
            return 0;
        }
        int codePoint = first & (0x7f >> length);
        for (int i = 1; i < length; i++) {
            int next = bytes[at + i] & 0xff;
            if ((next & 0xc0) != FIRST_NON_ASCII) {
                return 0;
            }
            codePoint = (codePoint << 6) | (next & 0x3f);
        }
        int least = length == 4 ? 0x10000 : length == 3 ? 0x800 : FIRST_NON_ASCII;
        boolean surrogate = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        return codePoint < least || codePoint > Character.MAX_CODE_POINT || surrogate ? 0 : length;
    }
}
