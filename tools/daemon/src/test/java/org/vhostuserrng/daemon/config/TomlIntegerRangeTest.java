package org.vhostuserrng.daemon.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TomlIntegerRangeTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "18446744073709551617",
                "+9223372036854775808",
                "-9223372036854775809",
                "18_446_744_073_709_551_616",
                "0x1_0000_0000_0000_0000",
                "0o2000000000000000000000",
                "0b10000000000000000000000000000000000000000000000000000000000000000"
            })
    void findsAnIntegerOfMoreThan64Bits(String integer) {
        TomlIntegerRange.Excess inValue = TomlIntegerRange.firstExcess("spin = 1\nmax-bytes = " + integer + "\n");
        TomlIntegerRange.Excess inArray = TomlIntegerRange.firstExcess("allow-uid = [1, " + integer + "]");

        assertEquals(new TomlIntegerRange.Excess(integer, 2), inValue);
        assertEquals(new TomlIntegerRange.Excess(integer, 1), inArray);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "max-bytes = 9223372036854775807",
                "max-bytes = -9223372036854775808",
                "socket-path = \"18446744073709551617\"",
                "socket-path = '18446744073709551617'",
                "socket-path = \"a\\\" = 18446744073709551617\"",
                "socket-path = \"\"\"\n = 18446744073709551617\"\"\"",
                "spin = 1 # = 18446744073709551617",
                "[guest.18446744073709551617]"
            })
    void ignoresIntegersInRangeStringsCommentsAndKeys(String text) {
        assertNull(TomlIntegerRange.firstExcess(text));
    }

    @Test
    void refusesAFileWithSuchAnInteger() {
        ConfigFileException refused = assertThrows(
                ConfigFileException.class,
                () -> TomlConfigParser.read("rng.conf", "allow-uid = [18446744073709551616]"));

        assertTrue(refused.getMessage().startsWith("rng.conf:1: '18446744073709551616'"), refused.getMessage());
    }
}
