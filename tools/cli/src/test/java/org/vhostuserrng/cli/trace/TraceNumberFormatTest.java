package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TraceNumberFormatTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1 KiB (1024 B)",
        "1536, 1.5 KiB (1536 B)",
        "268435456, 256 MiB (268435456 B)",
        "-1, 16 EiB (18446744073709551615 B)"
    })
    void sizeHasAUnitAndTheExactNumberOfBytes(long size, String text) {
        assertEquals(text, TraceNumberFormat.bytes(size));
    }

    @Test
    void millisecondsHaveThreeDecimals() {
        assertEquals("12.346", TraceNumberFormat.milliseconds(12_345_678));
    }
}
