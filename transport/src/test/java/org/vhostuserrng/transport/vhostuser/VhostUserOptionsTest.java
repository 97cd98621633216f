package org.vhostuserrng.transport.vhostuser;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VhostUserOptionsTest {
    @ParameterizedTest
    @CsvSource({
        "1, 65530, 509",
        "59, 65530, 509",
        "100, 65530, 304",
        "1000, 65530, 27",
        "4096, 65530, 8",
        "4096, 1048576, 124",
        "4096, 1000, 8"
    })
    void eachGuestHasAnEqualShareOfTheMappings(int guests, long mappings, int regions) {
        assertEquals(regions, VhostUserOptions.maxRegionsPerGuest(guests, mappings));
    }
}
