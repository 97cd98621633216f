package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests the file of a listening socket: locked by another process, removed, renamed or replaced. */
class SocketFileIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void assertServes(DaemonProcess daemon) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    private static boolean isReachable(Path socket) {
        try (SocketChannel frontEnd = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return frontEnd.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    /** Starts flock(1), and returns when it holds the lock. */
    private Process lock(String option, Path file) throws IOException {
        Path locked = daemons.directory().resolve("locked");
        Process holder = new ProcessBuilder(
                        "flock", option, file.toString(), "sh", "-c", "touch " + locked + "; exec sleep 600")
                .start();
        assertEventually("flock holds the lock", () -> Files.exists(locked));
        return holder;
    }

    @Test
    void startsWhileTheDirectoryIsLocked() throws Exception {
        for (String option : List.of("--exclusive", "--shared")) {
            Process holder = lock(option, daemons.directory());
            try {
                DaemonProcess daemon = daemons.start();
                assertServes(daemon);
                daemon.terminate();
                assertEquals(0, daemon.awaitExit());
            } finally {
                holder.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void startsWhileItsLockFileIsLocked() throws Exception {
        Process holder = lock("--exclusive", daemons.directory().resolve("socket.lock"));
        try {
            assertServes(daemons.start());
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @Test
    void onlyOneOfManyDaemonsThatStartAtOnceReplacesAStaleSocket() throws Exception {
        try (ServerSocketChannel stale = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stale.bind(UnixDomainSocketAddress.of(daemons.socketPath()));
        }
        List<DaemonProcess> started = List.of(daemons.launch(), daemons.launch(), daemons.launch(), daemons.launch());

        assertEventually(
                "all but one have exited",
                () -> started.stream().filter(DaemonProcess::isAlive).count() == 1);
        DaemonProcess survivor =
                started.stream().filter(DaemonProcess::isAlive).findFirst().orElseThrow();
        assertEventually("the survivor listens", () -> isReachable(survivor.socket()));
        assertServes(survivor);
    }

    @Test
    void listensAgainAfterTheFileWasRemovedWhileAGuestIsServed() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            Files.delete(daemon.socket());
            assertEventually("the path is reachable", () -> isReachable(daemon.socket()));

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
        assertServes(daemon);
        assertTrue(daemon.log().contains("was removed or renamed; listening on it again"), daemon.log());
    }

    @Test
    void listensAgainAfterTheFileWasRenamed() throws Exception {
        DaemonProcess daemon = daemons.start();

        Files.move(daemon.socket(), daemons.directory().resolve("renamed"));

        assertEventually("the path is reachable", () -> isReachable(daemon.socket()));
        assertServes(daemon);
    }

    @Test
    void saysThatAnotherProcessListensAndTakesThePathBackOnceThatIsGone() throws Exception {
        DaemonProcess daemon = daemons.start();
        Files.delete(daemon.socket());
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(daemon.socket()));
            other.configureBlocking(false);
            assertEventually("the log says so", () -> daemon.log().contains("another program listens on it"));
            assertEquals(null, other.accept(), "the daemon must not connect to the other program");
        }

        assertEventually("the path is reachable", () -> isReachable(daemon.socket()));
        assertServes(daemon);
    }
}
