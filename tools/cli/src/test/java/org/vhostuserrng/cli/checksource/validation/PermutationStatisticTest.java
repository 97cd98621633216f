package org.vhostuserrng.cli.checksource.validation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compares with examples that were computed by hand from the definitions of SP 800-90B §5.1. */
class PermutationStatisticTest {
    private static byte[] samples(String text) {
        String[] words = text.split(" ", -1);
        byte[] samples = new byte[words.length];
        for (int i = 0; i < words.length; i++) {
            samples[i] = (byte) Integer.parseInt(words[i]);
        }
        return samples;
    }

    private static double statistic(String name, byte[] samples, boolean binary) {
        return PermutationStatistic.all().stream()
                .filter(each -> each.name().endsWith(name))
                .findFirst()
                .orElseThrow()
                .of()
                .applyAsDouble(new ShuffledSamples(samples, binary));
    }

    @ParameterizedTest
    @CsvSource({
        "excursion, 2 15 4 10 9, 6",
        "number of directional runs, 2 2 2 5 7 7 9 3 1 4 4, 3",
        "length of directional runs, 2 2 2 5 7 7 9 3 1 4 4, 6",
        "increases and decreases, 2 2 2 5 7 7 9 3 1 4 4, 8",
        "number of runs based on the median, 5 15 12 1 13 9 4, 5",
        "length of runs based on the median, 5 15 12 1 13 9 4, 2",
        "average collision, 2 1 1 2 0 1 0 1 1 2, 3",
        "maximum collision, 2 1 1 2 0 1 0 1 1 2, 4",
        "periodicity 2, 2 1 2 1 0 1 0 1 1 2, 5",
        "covariance 2, 5 2 6 10 12 3 1, 164",
        "covariance 1, 200 200 1, 40200"
    })
    void statisticOfSamples(String name, String samples, double expected) {
        assertEquals(expected, statistic(name, samples(samples), false));
    }

    /** The bits form the bytes 0xf0, 0, 0xff and 0x80, whose weights are 4, 0, 8 and 1. */
    @ParameterizedTest
    @CsvSource({
        "excursion, 2.84375",
        "number of directional runs, 3",
        "covariance 1, 8",
        "covariance 2, 32",
        "maximum collision, 0",
        "length of runs based on the median, 12",
        "number of runs based on the median, 4"
    })
    void statisticOfBits(String name, double expected) {
        byte[] bits = samples("1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 0 0 0 0 0 0 0");

        assertEquals(expected, statistic(name, bits, true));
    }

    @Test
    void repetitiveSamplesAreCompressedBetter() {
        byte[] random = new byte[1000];
        new SplittableRandom(1).nextBytes(random);

        assertTrue(statistic("compression", new byte[1000], false) < statistic("compression", random, false));
    }

    /** The expected lengths are those of {@code bzip2 -5}; implementations differ by 1 or 2 %. */
    @ParameterizedTest
    @CsvSource({"255, 10863", "3, 2765"})
    void lengthAfterCompressionIsThatOfBzip2(int mask, double expected) {
        byte[] samples = new byte[10_000];
        int state = 1;
        for (int i = 0; i < samples.length; i++) {
            state = (state * 1_103_515_245 + 12_345) & Integer.MAX_VALUE;
            samples[i] = (byte) (state >> 16 & mask);
        }

        assertEquals(expected, statistic("compression", samples, false), expected / 50);
    }

    @Test
    void shuffledSamplesAreAPermutation() {
        byte[] random = new byte[1000];
        new SplittableRandom(1).nextBytes(random);
        ShuffledSamples shuffled = new ShuffledSamples(random, false);

        shuffled.shuffle(new SplittableRandom(2));

        byte[] sorted = shuffled.values().clone();
        Arrays.sort(sorted);
        Arrays.sort(random);
        assertEquals(Arrays.toString(random), Arrays.toString(sorted));
    }
}
