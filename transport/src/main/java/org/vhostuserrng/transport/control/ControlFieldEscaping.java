package org.vhostuserrng.transport.control;

/** Escapes the characters in a word that the control protocol uses as separators: tabs and line feeds. */
public final class ControlFieldEscaping {
    private static final char ESCAPE = '\\';

    private ControlFieldEscaping() {}

    /** Replaces backslash, tab, line feed and carriage return by {@code \\}, {@code \t}, {@code \n}, {@code \r}. */
    public static String escape(String word) {
        return word.replace("\\", "\\\\")
                .replace("\t", "\\t")
                .replace("\n", "\\n")
                .replace("\r", "\\r");
    }

    /** Decodes a word of {@link #escape}. An unknown escape sequence is decoded as its second character. */
    public static String unescape(String word) {
        StringBuilder decoded = new StringBuilder(word.length());
        for (int i = 0; i < word.length(); i++) {
            char next = word.charAt(i);
            if (next == ESCAPE && i + 1 < word.length()) {
                i++;
                decoded.append(
                        switch (word.charAt(i)) {
                            case 't' -> '\t';
                            case 'n' -> '\n';
                            case 'r' -> '\r';
                            default -> word.charAt(i);
                        });
            } else {
                decoded.append(next);
            }
        }
        return decoded.toString();
    }
}
