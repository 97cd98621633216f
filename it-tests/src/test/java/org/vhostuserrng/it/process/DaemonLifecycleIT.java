package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.MeasurementLog;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests start, signals, and the socket's file (vhost-user, "Backend program conventions"). */
class DaemonLifecycleIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void assertServes(DaemonProcess daemon) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void sigtermExitsWithStatus0AndRemovesTheSocket() throws Exception {
        DaemonProcess daemon = daemons.start();

        long start = System.nanoTime();
        daemon.terminate();

        assertEquals(0, daemon.awaitExit());
        MeasurementLog.log("SIGTERM to exit: " + (System.nanoTime() - start) / 1_000_000 + " ms");
        assertFalse(Files.exists(daemon.socket()));
    }

    @Test
    void sigtermExitsWithStatus0WhileAGuestIsConnected() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            daemon.terminate();

            assertEquals(0, daemon.awaitExit());
            assertFalse(Files.exists(daemon.socket()));
        }
    }

    @Test
    void secondDaemonOnALiveSocketFailsToStart() throws Exception {
        DaemonProcess first = daemons.start();

        DaemonProcess second = daemons.launch();

        assertNotEquals(0, second.awaitExit());
        assertTrue(first.isAlive());
        assertServes(first);
    }

    @Test
    void secondDaemonOnALiveSocketDoesNotDisturbAConnectedGuest() throws Exception {
        DaemonProcess first = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(first.socket())) {
            guest.request(64, HANG_TIMEOUT);

            daemons.launch().awaitExit();

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
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
    void regularFileAtTheSocketPathIsKeptAndTheDaemonFailsToStart() throws Exception {
        Files.writeString(daemons.socketPath(), "precious");

        DaemonProcess daemon = daemons.launch();

        assertNotEquals(0, daemon.awaitExit());
        assertEquals("precious", Files.readString(daemons.socketPath()));
    }

    @Test
    void missingDirectoryOfTheSocketFailsToStart() throws Exception {
        PackagedProgram.Result result =
                PackagedProgram.run("--socket-path=" + daemons.directory().resolve("missing/socket"));

        assertNotEquals(0, result.status());
        assertEquals(1, result.stderr().lines().count(), result::stderr);
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
    void allSocketsOfSocketCountServeAGuestAtTheSameTime() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(3);

        try (EntropyDriver first = EntropyDriver.start(daemon.socket(0));
                EntropyDriver second = EntropyDriver.start(daemon.socket(1));
                EntropyDriver third = EntropyDriver.start(daemon.socket(2))) {
            assertEquals(64, first.request(64, HANG_TIMEOUT).length);
            assertEquals(64, second.request(64, HANG_TIMEOUT).length);
            assertEquals(64, third.request(64, HANG_TIMEOUT).length);
        }
    }
}
