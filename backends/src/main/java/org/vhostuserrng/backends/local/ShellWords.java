package org.vhostuserrng.backends.local;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a command line into words with the quoting of a POSIX shell (XCU §2.2): single quotes, double quotes and
 * backslashes. Does not expand anything: {@code $}, {@code *} and the like are ordinary characters.
 */
final class ShellWords {
    private static final char SINGLE = '\'';
    private static final char DOUBLE = '"';
    private static final char ESCAPE = '\\';
    private static final char UNQUOTED = 0;

    private final String text;
    private final List<String> words = new ArrayList<>();
    /** The current word; null between two words. */
    private StringBuilder word;

    private int position;

    private ShellWords(String text) {
        this.text = text;
    }

    /**
     * Splits {@code text} at spaces that are not quoted.
     *
     * @throws IllegalArgumentException if a quote is not closed, or if nothing follows a backslash
     */
    static List<String> split(String text) {
        return new ShellWords(text).split();
    }

    private List<String> split() {
        char quote = UNQUOTED;
        while (position < text.length()) {
            char next = text.charAt(position++);
            if (quote == UNQUOTED && next == ' ') {
                endWord();
            } else if (quote == UNQUOTED && (next == SINGLE || next == DOUBLE)) {
                quote = next;
                append("");
            } else if (quote != UNQUOTED && next == quote) {
                quote = UNQUOTED;
            } else if (next == ESCAPE && quote != SINGLE) {
                appendEscaped(quote);
            } else {
                append(String.valueOf(next));
            }
        }
        if (quote != UNQUOTED) {
            throw new IllegalArgumentException("no closing " + quote + " in the command (write a comma in it twice)");
        }
        endWord();
        return List.copyOf(words);
    }

    /**
     * Appends the character after a backslash. Within double quotes, a backslash quotes only $, `, " and itself, and is
     * otherwise an ordinary character.
     */
    private void appendEscaped(char quote) {
        if (position == text.length()) {
            throw new IllegalArgumentException("nothing follows the last \\ of the command");
        }
        char next = text.charAt(position++);
        boolean literal = quote == DOUBLE && "$`\"\\".indexOf(next) < 0;
        append(literal ? ESCAPE + String.valueOf(next) : String.valueOf(next));
    }

    private void append(String part) {
        if (word == null) {
            word = new StringBuilder();
        }
        word.append(part);
    }

    private void endWord() {
        if (word != null) {
            words.add(word.toString());
            word = null;
        }
    }
}
