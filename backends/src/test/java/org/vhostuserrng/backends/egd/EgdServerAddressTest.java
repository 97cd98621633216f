package org.vhostuserrng.backends.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EgdServerAddressTest {
    @ParameterizedTest
    @ValueSource(strings = {"tcp:localhost:1024", "tcp:127.0.0.1:1", "tcp:[::1]:65535", "unix:/run/egd-pool"})
    void toStringReturnsTheAddress(String text) {
        assertEquals(text, EgdServerAddress.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "tcp:", "tcp:host", "tcp::1", "tcp:host:0", "tcp:host:65536", "tcp:::1:80", "unix:", "/run/x"
            })
    void refusesMalformedAddressWithSyntax(String text) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> EgdServerAddress.parse(text));

        assertTrue(refused.getMessage().contains(EgdServerAddress.SYNTAX), refused::getMessage);
    }
}
