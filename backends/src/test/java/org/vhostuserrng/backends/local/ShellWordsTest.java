package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShellWordsTest {
    /** Columns: a command line, and its words separated by bars. Each row was verified with dash. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '^',
            value = {
                "cat -u /dev/zero; cat|-u|/dev/zero",
                "^  cat   x ^; cat|x",
                "sh -c \"cat /dev/urandom\"; sh|-c|cat /dev/urandom",
                "sh -c 'a \"b\" \\c'; sh|-c|a \"b\" \\c",
                "a\\ b; a b",
                "\"a\\\"b\\\\c\\$d\\`e\\fg\"; a\"b\\c$d`e\\fg",
                "a'b'\"c\"d; abcd",
                "a '' b; a||b",
                "\\'; '",
                "\"it's\"; it's"
            })
    void splitsLikeAShell(String text, String words) {
        assertEquals(List.of(words.split("\\|", -1)), ShellWords.split(text));
    }

    @Test
    void emptyTextHasNoWords() {
        assertEquals(List.of(), ShellWords.split("  "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sh -c \"cat", "a 'b", "a\\", "\"a\\\""})
    void refusesOpenQuote(String text) {
        assertThrows(IllegalArgumentException.class, () -> ShellWords.split(text));
    }
}
