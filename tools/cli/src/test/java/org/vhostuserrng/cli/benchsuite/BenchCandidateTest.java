package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchCandidateTest {
    private static final Path SOCKET = Path.of("/run/rng");

    @Test
    void placeholdersInTheCommandAreReplaced() {
        BenchCandidate peer = BenchCandidate.peer("/opt/rngd  --socket={socket} --guests {guests}");

        assertEquals(List.of("/opt/rngd", "--socket=/run/rng", "--guests", "3"), peer.command(SOCKET, 3));
        assertEquals("peer rngd", peer.name());
    }

    @Test
    void commandWithGuestsPlaceholderHasOneSocketPerGuest() {
        BenchCandidate peer = BenchCandidate.peer("rngd {socket} {guests}");

        assertTrue(peer.servesManyGuests());
        assertEquals(List.of(Path.of("/run/rng0"), Path.of("/run/rng1")), peer.sockets(SOCKET, 2));
    }

    @Test
    void commandWithoutGuestsPlaceholderHasOneSocket() {
        BenchCandidate peer = BenchCandidate.peer("rngd {socket}");

        assertFalse(peer.servesManyGuests());
        assertEquals(List.of(SOCKET), peer.sockets(SOCKET, 1));
    }

    @Test
    void daemonCommandHasSourceAndPackedOption() {
        BenchCandidate daemon = BenchCandidate.daemonPacked(Path.of("/opt/vhost-user-rng"), "drbg");

        assertEquals(
                List.of(
                        "/opt/vhost-user-rng",
                        "--socket-path=/run/rng",
                        "--socket-count=1",
                        "--source=drbg",
                        "--packed"),
                daemon.command(SOCKET, 1));
    }
}
