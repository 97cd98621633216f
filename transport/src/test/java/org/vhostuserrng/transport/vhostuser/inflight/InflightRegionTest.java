package org.vhostuserrng.transport.vhostuser.inflight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InflightRegionTest {
    private static final int INFLIGHT = 1;

    /** Computes the order that vhost-user specifies, in a simple way. */
    private static int[] byCounter(long[] words, int wordsPerEntry, int entries) {
        return IntStream.range(0, entries)
                .filter(entry -> (words[entry * wordsPerEntry] & 0xff) == INFLIGHT)
                .boxed()
                .sorted(Comparator.comparing(entry -> words[entry * wordsPerEntry + 1], Long::compareUnsigned))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Columns: number of entries, number of counter bits. */
    @ParameterizedTest
    @CsvSource({"0, 64", "1, 64", "2, 1", "7, 3", "256, 8", "300, 9", "32768, 17", "32768, 64"})
    void ordersInflightEntriesByCounter(int entries, int counterBits) {
        Random random = new Random(entries);
        int wordsPerEntry = 4;
        long[] words = random.longs((long) entries * wordsPerEntry).toArray();
        for (int entry = 0; entry < entries; entry++) {
            words[entry * wordsPerEntry] = (words[entry * wordsPerEntry] & ~0xffL) | random.nextInt(3);
            words[entry * wordsPerEntry + 1] >>>= Long.SIZE - counterBits;
        }

        int[] inflight = InflightRegion.inflightEntries(words, wordsPerEntry, entries);

        assertArrayEquals(byCounter(words, wordsPerEntry, entries), inflight);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 255, 256, Long.MAX_VALUE - 1, Long.MAX_VALUE, -3})
    void ordersConsecutiveCountersFromAnyStart(long first) {
        long[] words = {INFLIGHT, first + 2, INFLIGHT, first, 0, first + 3, INFLIGHT, first + 1};

        assertArrayEquals(new int[] {1, 3, 0}, InflightRegion.inflightEntries(words, 2, 4));
    }
}
