package org.vhostuserrng.transport.systemd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.systemd.ListenFds.NamedFd;

class ListenFdsTest {
    private static final long PID = 4711;

    private static List<NamedFd> fds(String listenPid, String count, String names) throws IOException {
        return ListenFds.of(
                Map.of("LISTEN_PID", listenPid, "LISTEN_FDS", count, "LISTEN_FDNAMES", names), PID, fd -> "path" + fd);
    }

    @Test
    void socketsHaveTheNamesOfTheirUnits() throws IOException {
        List<NamedFd> sockets = fds("4711", "2", "web:db");

        assertEquals(List.of(new NamedFd(3, "web"), new NamedFd(4, "db")), sockets);
    }

    @Test
    void socketsOfOneUnitHaveTheNamesOfTheirFiles() throws IOException {
        List<NamedFd> sockets = fds("4711", "2", "rng.socket:rng.socket");

        assertEquals(List.of(new NamedFd(3, "path3"), new NamedFd(4, "path4")), sockets);
    }

    @Test
    void theDefaultNameOfAUnitIsNotAGuestName() throws IOException {
        assertEquals(List.of(new NamedFd(3, "path3")), fds("4711", "1", "rng.socket"));
    }

    @Test
    void namesAreOptional() throws IOException {
        List<NamedFd> sockets = ListenFds.of(Map.of("LISTEN_PID", "4711", "LISTEN_FDS", "1"), PID, fd -> null);

        assertEquals(List.of(new NamedFd(3, "fd 3")), sockets);
    }

    @Test
    void socketsOfAnotherProcessAreIgnored() throws IOException {
        assertEquals(List.of(), fds("4712", "2", "web:db"));
        assertEquals(List.of(), ListenFds.of(Map.of("LISTEN_FDS", "2"), PID));
    }

    @Test
    void withoutSocketsTheListIsEmpty() throws IOException {
        assertEquals(List.of(), fds("4711", "0", ""));
        assertEquals(List.of(), ListenFds.of(Map.of(), PID));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "x", "", "524289", "99999999999"})
    void aCountOutOfRangeIsReported(String count) {
        IOException refusal = assertThrows(IOException.class, () -> fds("4711", count, "web"));

        assertTrue(refusal.getMessage().contains("LISTEN_FDS='" + count + "': expected"), refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"web", "web:db:mail", ""})
    void aWrongNumberOfNamesIsReported(String names) {
        IOException refusal = assertThrows(IOException.class, () -> fds("4711", "2", names));

        assertTrue(refusal.getMessage().contains("LISTEN_FDNAMES='" + names + "': expected 2"), refusal.getMessage());
    }

    @Test
    void twoSocketsWithOneNameAreReported() {
        Map<String, String> environment =
                Map.of("LISTEN_PID", "4711", "LISTEN_FDS", "2", "LISTEN_FDNAMES", "a.socket:b.socket");

        IOException refusal = assertThrows(IOException.class, () -> ListenFds.of(environment, PID, fd -> "rng.sock"));

        assertTrue(refusal.getMessage().contains("two sockets have the name 'rng.sock'"), refusal.getMessage());
    }
}
