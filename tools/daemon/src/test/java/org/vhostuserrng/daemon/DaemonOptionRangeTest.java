package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DaemonOptionRangeTest {
    @ParameterizedTest
    @CsvSource({
        "MAX_BYTES, 1024, 1024",
        "MAX_BYTES, 64k, 65536",
        "MAX_BYTES, 64K, 65536",
        "MAX_BYTES, 1m, 1048576",
        "MAX_BYTES, 1M, 1048576",
        "MAX_BYTES, 2g, 2147483648",
        "MAX_BYTES, 2G, 2147483648",
        "MAX_BYTES, 9223372036854775807, 9223372036854775807",
        "PERIOD_MILLIS, 1000, 1000",
        "PERIOD_MILLIS, 500ms, 500",
        "PERIOD_MILLIS, 2s, 2000",
        "PERIOD_MILLIS, 1min, 60000",
        "PERIOD_MILLIS, 3000us, 3",
        "SPIN_MICROS, 50, 50",
        "SPIN_MICROS, 50us, 50",
        "SPIN_MICROS, 1ms, 1000",
        "SPIN_MICROS, 0s, 0",
        "MAX_GUEST_MEMORY_BYTES, 16, 17179869184",
        "MAX_GUEST_MEMORY_BYTES, 16G, 17179869184",
        "MAX_GUEST_MEMORY_BYTES, 512M, 536870912",
        "HOLD_SECONDS, 10, 10",
        "HOLD_SECONDS, 2min, 120",
        "WEIGHT, 7, 7"
    })
    void readsANumberWithItsUnit(DaemonOptionRange range, String text, long value) throws BadUsageException {
        assertEquals(value, range.parse("--option", text));
    }

    @ParameterizedTest
    @CsvSource({
        "MAX_BYTES, 0k",
        "MAX_BYTES, 1T",
        "MAX_BYTES, 1.5k",
        "MAX_BYTES, 1kB",
        "MAX_BYTES, k",
        "MAX_BYTES, ''",
        "MAX_BYTES, ' 1'",
        "MAX_BYTES, -1k",
        "MAX_BYTES, 2s",
        "MAX_BYTES, 0x10",
        "MAX_BYTES, 9007199254740992k",
        "MAX_BYTES, 9223372036854775808",
        "MAX_BYTES, ١k",
        "PERIOD_MILLIS, 500us",
        "PERIOD_MILLIS, 2min",
        "PERIOD_MILLIS, 1h",
        "PERIOD_MILLIS, 1k",
        "PERIOD_MILLIS, 9223372036854775807",
        "SPIN_MICROS, 2ms",
        "MAX_GUEST_MEMORY_BYTES, 512k",
        "MAX_GUEST_MEMORY_BYTES, 65537",
        "MAX_GUEST_MEMORY_BYTES, 65537G",
        "HOLD_SECONDS, 1500ms",
        "WEIGHT, 1k",
        "OPS, 1k"
    })
    void refusesAnythingElse(DaemonOptionRange range, String text) {
        assertThrows(BadUsageException.class, () -> range.parse("--option", text));
    }

    private static String refusal(DaemonOptionRange range, String text) {
        return assertThrows(BadUsageException.class, () -> range.parse("--option", text))
                .getMessage();
    }

    @Test
    void refusalsNameTheRangeAndTheUnits() {
        assertEquals("--option='x': expected a number from 1 to 1000", refusal(DaemonOptionRange.WEIGHT, "x"));
        assertEquals(
                "--option='x': expected a number from 1 to 2^63-1, alone or with k, M or G",
                refusal(DaemonOptionRange.MAX_BYTES, "x"));
        assertEquals(
                "--option='500us': expected a number from 1 to 65536 (ms), or a time with us, ms, s or min",
                refusal(DaemonOptionRange.PERIOD_MILLIS, "500us"));
        assertEquals(
                "--option='0': expected a number from 1 to 65536 (GiB), or a size with k, M or G",
                refusal(DaemonOptionRange.MAX_GUEST_MEMORY_BYTES, "0"));
    }
}
