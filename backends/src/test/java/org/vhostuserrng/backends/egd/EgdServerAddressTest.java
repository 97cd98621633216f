package org.vhostuserrng.backends.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EgdServerAddressTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "tcp:localhost:1024",
                "tcp:127.0.0.1:1",
                "tcp:[::1]:65535",
                "tcp:[fe80::1%eth0]:1",
                "unix:/run/egd-pool"
            })
    void toStringReturnsTheAddress(String text) {
        assertEquals(text, EgdServerAddress.parse(text).toString());
    }

    @Test
    void refusesLinkLocalAddressWithoutInterface() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> EgdServerAddress.parse("tcp:[fe80::1]:1"));

        assertTrue(refused.getMessage().contains("[fe80::1%eth0]"), refused::getMessage);
    }

    @ParameterizedTest
    @ValueSource(strings = {"eth-none", "123456789", "99999999999"})
    void connectNamesAnUnknownInterface(String zone) {
        EgdServerAddress address = EgdServerAddress.parse("tcp:[fe80::1%" + zone + "]:1");

        IOException refused = assertThrows(IOException.class, () -> address.connect(0));

        assertEquals("there is no network interface " + zone, refused.getMessage());
    }

    @Test
    void connectsToAScopedAddressThroughItsInterface() throws IOException {
        EgdServerAddress address = EgdServerAddress.parse("tcp:[fe80::1%lo]:1");

        IOException refused = null;
        try {
            address.connect(0).close();
        } catch (IOException unreachable) {
            refused = unreachable;
        }

        // The connection may fail without a route to the address, but not with EINVAL (22), which means that the scope
        // ID is missing.
        assertFalse(refused != null && refused.getMessage().contains("errno 22"), () -> "scope id missing");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tcp:",
                "tcp:host",
                "tcp::1",
                "tcp:host:0",
                "tcp:host:65536",
                "tcp:::1:80",
                "unix:",
                "/run/x",
                "tcp:[host]:1",
                "tcp:[fe80::1%]:1"
            })
    void refusesMalformedAddressWithSyntax(String text) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> EgdServerAddress.parse(text));

        assertTrue(refused.getMessage().contains(EgdServerAddress.SYNTAX), refused::getMessage);
    }
}
