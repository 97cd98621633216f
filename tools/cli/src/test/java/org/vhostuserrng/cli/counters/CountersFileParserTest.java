package org.vhostuserrng.cli.counters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.counters.GuestCounters.SourceState;

/** Tests the parser with valid, damaged and hostile counters files. */
class CountersFileParserTest {
    private final CountersFileBuilder file = new CountersFileBuilder();

    @Test
    void readsTheValuesOfAGuest() throws InvalidCountersFileException {
        file.guest("vm", 100, 2, 0, 1, 3, 5, 6, 7);

        CountersSnapshot snapshot = file.parse(0);

        GuestCounters guest = snapshot.guests().getFirst();
        assertEquals("vm", guest.name());
        assertEquals(100, guest.values().get("bytes"));
        assertEquals(SourceState.FAILED, guest.sourceState());
        assertEquals(18, guest.latency().total());
        assertEquals(1, snapshot.connectedGuests());
        assertEquals(4711, snapshot.pid());
        assertEquals(2, snapshot.restarts());
    }

    @Test
    void fieldThatTheFileDoesNotHaveIsZero() throws InvalidCountersFileException {
        file.guest("vm");

        assertEquals(0, file.parse(0).guests().getFirst().values().get("kicks"));
    }

    @Test
    void slotThatIsBeingChangedIsNotRead() throws InvalidCountersFileException {
        file.guest("a").guest("b").sequence(3);

        assertEquals(List.of("a"), names());
    }

    @Test
    void namesArePrintableAndUnique() throws InvalidCountersFileException {
        file.guest("a\u001b").guest("a\n").guest(new byte[] {(byte) 0xe2, (byte) 0x80, (byte) 0xae});

        assertEquals(List.of("a?", "a?#2", "?"), names());
    }

    private List<String> names() throws InvalidCountersFileException {
        return file.parse(0).guests().stream().map(GuestCounters::name).toList();
    }

    @Test
    void negativeValueIsZero() throws InvalidCountersFileException {
        file.guest("a", -1);

        assertEquals(0, file.parse(0).guests().getFirst().values().get("bytes"));
    }

    /** Arguments: offset of a header field, its new value, and the expected message. */
    @ParameterizedTest
    @CsvSource({
        "0, 1, is not a counters file",
        "8, 2, 'has layout version 2, expected 1'",
        "24, -8, damaged",
        "24, 1000000, damaged",
        "24, 12, damaged",
        "32, 8, damaged",
        "40, 4096, damaged",
        "48, 9223372036854775807, damaged",
        "56, 8000, damaged",
        "64, 0, damaged",
        "64, 65536, damaged",
        "72, 4, damaged",
        "72, -1, damaged",
        "144, -8, outside its slot",
        "144, 9223372036854775800, outside its slot",
        "160, 0, no valid name",
    })
    void damagedFileIsRefused(int offset, long value, String reason) {
        file.set(offset, value);

        InvalidCountersFileException refused = assertThrows(InvalidCountersFileException.class, () -> file.parse(0));

        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    }

    @Test
    void truncatedFileIsRefused() {
        byte[] whole = file.guest("a").bytes();

        for (int length = 0; length < whole.length; length += Long.BYTES) {
            byte[] truncated = Arrays.copyOf(whole, length);
            assertThrows(InvalidCountersFileException.class, () -> CountersFileBuilder.parse(truncated, 0));
        }
    }
}
