package org.vhostuserrng.cli.top;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.cli.counters.CountersFileBuilder;
import org.vhostuserrng.cli.counters.CountersSnapshot;

/** Tests the output of {@code top}. */
class TopTableTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int HEADER_LINES = 5;

    private final CountersSnapshot earlier;
    private final CountersSnapshot later;

    TopTableTest() throws IOException {
        earlier = new CountersFileBuilder()
                .guest("slow", 0, 0, 0, 1, 1, 0, 0, 0)
                .guest("fast", 0, 0, 0, 1, 1, 0, 0, 0)
                .parse(0);
        later = new CountersFileBuilder()
                .guest("slow", 64, 1, SECOND / 2, 0, 2, 0, 0, 1)
                .guest("fast", 1_500_000, 2000, 0, 1, 1, 99, 1, 0)
                .guest("new", 10, 1, 0, 1, 1, 1, 0, 0)
                .parse(SECOND);
    }

    private List<String> lines(int width, int maxRows) {
        return new TopTable(width, maxRows).lines(later, GuestRates.between(earlier, later));
    }

    @Test
    void guestWithTheMostBytesIsFirst() {
        List<String> rows = lines(80, 10).subList(HEADER_LINES, HEADER_LINES + 3);

        assertTrue(rows.get(0).matches("fast +1.50M +2.00k +0% +0% +- +1.0us +1.0us +1.50M +ok"), rows.get(0));
        assertTrue(rows.get(1).matches("\\(slow\\) +64 +1 +50% +0% +- +>2.0us +>2.0us +64 +empty"), rows.get(1));
        assertTrue(rows.get(2).startsWith("new "), rows.get(2));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 40, 80, 100, 120, 300})
    void linesAreNotLongerThanTheTerminalIsWide(int width) {
        assertTrue(
                lines(width, 10).stream().allMatch(line -> line.length() <= width),
                () -> lines(width, 10).toString());
    }

    @Test
    void guestsThatHaveNoRoomAreCounted() {
        assertEquals("… and 2 more", lines(80, 1).getLast());
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "999, 999", "999.7, 1.00k", "12345, 12.3k", "123456, 123k", "9.3e18, 9.30E"})
    void countsHaveDecimalPrefixes(double value, String text) {
        assertEquals(text, TopNumberFormat.count(value));
    }

    @Test
    void jsonHasAllGuests() throws IOException {
        String json = TopJson.of(later, GuestRates.between(earlier, later));

        assertTrue(json.contains("\"guest\":\"fast\",\"connected\":true,\"source\":\"serves\""), json);
        assertTrue(json.contains("\"bytesPerSecond\":1500000.0"), json);
        assertTrue(json.contains("\"throttledShare\":0.5"), json);
        assertEquals(1, json.lines().count());
    }
}
