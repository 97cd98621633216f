package org.vhostuserrng.cli.checksource.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SuffixArrayTest {
    private static int[] sortedByComparison(byte[] text) {
        return IntStream.range(0, text.length)
                .boxed()
                .sorted(Comparator.comparing(
                        start -> Arrays.copyOfRange(text, start, text.length), Arrays::compareUnsigned))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a", "aa", "ab", "ba", "aaaaaaaa", "abababab", "babababa", "mississippi", "banana", "cabbage"})
    void suffixesOfShortTextAreSorted(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);

        assertArrayEquals(sortedByComparison(bytes), SuffixArray.of(SymbolSequence.ofSamples(bytes)));
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "2, 17", "3, 64", "256, 500", "2, 1000"})
    void suffixesOfRepetitiveTextAreSorted(int alphabet, int period) {
        Random random = new Random(alphabet * 1000L + period);
        byte[] text = new byte[1000];
        for (int i = 0; i < text.length; i++) {
            text[i] = i < period ? (byte) random.nextInt(alphabet) : text[i - period];
        }

        assertArrayEquals(sortedByComparison(text), SuffixArray.of(SymbolSequence.ofSamples(text)));
    }

    @Test
    void suffixesOfManyRandomTextsAreSorted() {
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            byte[] text = new byte[1 + random.nextInt(40)];
            int alphabet = 1 + random.nextInt(4);
            for (int j = 0; j < text.length; j++) {
                text[j] = (byte) random.nextInt(alphabet);
            }

            assertArrayEquals(
                    sortedByComparison(text),
                    SuffixArray.of(SymbolSequence.ofSamples(text)),
                    () -> Arrays.toString(text));
        }
    }
}
