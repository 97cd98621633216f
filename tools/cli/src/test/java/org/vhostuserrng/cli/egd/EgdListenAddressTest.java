package org.vhostuserrng.cli.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EgdListenAddressTest {
    @TempDir
    private Path directory;

    private EgdListenAddress unix() {
        return EgdListenAddress.parse("unix:" + directory.resolve("s"));
    }

    @ParameterizedTest
    @CsvSource({
        "tcp:127.0.0.1:1024, false",
        "tcp:localhost:0, false",
        "tcp:[::1]:708, false",
        "tcp:0.0.0.0:1024, true",
        "tcp:[::]:1024, true",
        "unix:/tmp/x, false"
    })
    void onlyNonLoopbackAddressesAreReachableFromOtherHosts(String text, boolean outside) {
        assertEquals(outside, EgdListenAddress.parse(text).isReachableFromOtherHosts());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tcp:",
                "tcp:1024",
                "tcp::1024",
                "tcp:host:",
                "tcp:127.0.0.1:65536",
                "udp:a:1",
                "unix:",
                "/tmp"
            })
    void invalidAddressIsRejectedWithTheExpectedSyntax(String text) {
        IllegalArgumentException rejected =
                assertThrows(IllegalArgumentException.class, () -> EgdListenAddress.parse(text));

        assertTrue(rejected.getMessage().contains("expected"), rejected::getMessage);
    }

    private static boolean accepts(String address, int port) {
        try (Socket client = new Socket(address, port)) {
            return client.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    private static int port(ServerSocketChannel listener) throws IOException {
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    @Test
    void allIpv4AddressesDoNotIncludeIpv6() throws Exception {
        try (ServerSocketChannel listener =
                EgdListenAddress.parse("tcp:0.0.0.0:0").listen(4)) {
            assertTrue(accepts("127.0.0.1", port(listener)));
            assertFalse(accepts("::1", port(listener)));
        }
    }

    @Test
    void allIpv6AddressesIncludeIpv4() throws Exception {
        try (ServerSocketChannel listener = EgdListenAddress.parse("tcp:[::]:0").listen(4)) {
            assertTrue(accepts("127.0.0.1", port(listener)));
        }
    }

    @Test
    void staleSocketIsReplaced() throws Exception {
        unix().listen(1).close();

        try (ServerSocketChannel again = unix().listen(1)) {
            assertTrue(again.isOpen());
        }
    }

    @Test
    void socketInUseIsNotReplaced() throws Exception {
        try (ServerSocketChannel first = unix().listen(1)) {
            IOException rejected = assertThrows(IOException.class, () -> unix().listen(1));

            assertTrue(rejected.getMessage().contains("another process"), rejected::getMessage);
            assertTrue(first.isOpen() && Files.exists(directory.resolve("s")));
        }
    }

    @Test
    void regularFileIsNotReplaced() throws Exception {
        Path file = Files.writeString(directory.resolve("s"), "precious");

        assertThrows(IOException.class, () -> unix().listen(1));

        assertEquals("precious", Files.readString(file));
    }

    @Test
    void removeSocketFileDeletesTheSocket() throws Exception {
        EgdListenAddress address = unix();
        address.listen(1).close();

        address.removeSocketFile();

        assertFalse(Files.exists(directory.resolve("s")));
    }
}
