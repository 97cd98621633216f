package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;

/** Start, signals, sockets in the file system (vhost-user, "Backend program conventions"). */
class DaemonLifecycleIT {
    private static final Duration QUICKLY = Duration.ofSeconds(1);

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void assertServes(DaemonProcess daemon) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void sigtermEndsItWithStatus0AndRemovesTheSocket() throws Exception {
        DaemonProcess daemon = daemons.start();

        daemon.terminate();

        assertEquals(0, daemon.awaitExit(QUICKLY));
        assertFalse(Files.exists(daemon.socket()));
    }

    @Test
    void sigtermEndsItWithStatus0WhileAGuestIsConnected() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);

            daemon.terminate();

            assertEquals(0, daemon.awaitExit(QUICKLY));
            assertFalse(Files.exists(daemon.socket()));
        }
    }

    @Test
    void secondDaemonOnALiveSocketIsRefused() throws Exception {
        DaemonProcess first = daemons.start();

        DaemonProcess second = daemons.launch();

        assertNotEquals(0, second.awaitExit(PATIENCE));
        assertTrue(first.isAlive());
        assertServes(first);
    }

    @Test
    void secondDaemonOnALiveSocketLeavesAConnectedGuestAlone() throws Exception {
        DaemonProcess first = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(first.socket())) {
            guest.request(64, PATIENCE);

            daemons.launch().awaitExit(PATIENCE);

            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void staleSocketIsReplaced() throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(daemons.socketPath());
        try (ServerSocketChannel stale = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stale.bind(address);
        }
        assertTrue(Files.exists(daemons.socketPath()));

        assertServes(daemons.start());
    }

    @Test
    void regularFileAtTheSocketPathIsKeptAndStartFails() throws Exception {
        Files.writeString(daemons.socketPath(), "precious");

        DaemonProcess daemon = daemons.launch();

        assertNotEquals(0, daemon.awaitExit(PATIENCE));
        assertEquals("precious", Files.readString(daemons.socketPath()));
    }

    @Test
    void missingDirectoryOfTheSocketFailsTheStart() throws Exception {
        PackagedProgram.Outcome outcome =
                PackagedProgram.run("--socket-path=" + daemons.directory().resolve("missing/socket"));

        assertNotEquals(0, outcome.status());
        assertEquals(1, outcome.err().lines().count(), outcome::err);
    }

    @Test
    void nextGuestIsServedOnTheSameSocketFile() throws Exception {
        DaemonProcess daemon = daemons.start();
        Object inode = Files.getAttribute(daemon.socket(), "unix:ino");
        assertServes(daemon);

        assertServes(daemon);

        assertEquals(inode, Files.getAttribute(daemon.socket(), "unix:ino"));
    }

    @Test
    void everySocketOfSocketCountServesAGuestAtTheSameTime() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(3);

        try (EntropyDriver first = EntropyDriver.start(daemon.socket(0));
                EntropyDriver second = EntropyDriver.start(daemon.socket(1));
                EntropyDriver third = EntropyDriver.start(daemon.socket(2))) {
            assertEquals(64, first.request(64, PATIENCE).length);
            assertEquals(64, second.request(64, PATIENCE).length);
            assertEquals(64, third.request(64, PATIENCE).length);
        }
    }
}
