package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests {@code --socket-mode}, {@code --socket-group} and {@code --allow-uid}. */
class SocketAccessIT {
    private static final int OTHER_ID = 65534;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private DaemonProcess start(String... options) throws IOException {
        DaemonProcess daemon = daemons.launch(options);
        assertEventually(
                "the socket exists or the daemon has exited", () -> !daemon.isAlive() || Files.exists(daemon.socket()));
        assertTrue(daemon.isAlive(), daemon.log());
        return daemon;
    }

    private int mode(DaemonProcess daemon) throws IOException {
        return (int) Files.getAttribute(daemon.socket(), "unix:mode") & 0777;
    }

    private int uid() throws IOException {
        return (int) Files.getAttribute(daemons.directory(), "unix:uid");
    }

    /** Whether a process of another user that has the group {@code group} may write to the socket's file. */
    private boolean mayConnect(DaemonProcess daemon, int group) throws Exception {
        List<String> command = List.of(
                "setpriv",
                "--reuid=" + OTHER_ID,
                "--regid=" + group,
                "--clear-groups",
                "test",
                "-w",
                daemon.socket().toString());
        return HostCommand.run(Map.of(), daemons.directory(), command).status() == 0;
    }

    @Test
    void socketHasItsModeAndServes() throws Exception {
        DaemonProcess daemon = start("--socket-mode=0666");

        assertEquals(0666, mode(daemon));
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void aSocketThatReplacesARemovedOneHasItsMode() throws Exception {
        DaemonProcess daemon = start("--socket-mode=0666");
        Files.delete(daemon.socket());

        assertEventually("the daemon listens again", () -> Files.exists(daemon.socket()));

        assertEquals(0666, mode(daemon));
    }

    @Test
    void onlyMembersOfTheGroupMayConnect() throws Exception {
        assumeTrue(uid() == 0, "only root can set any group");
        Files.setPosixFilePermissions(daemons.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
        DaemonProcess daemon = start("--socket-group=4242");

        assertEquals(0660, mode(daemon));
        assertTrue(mayConnect(daemon, 4242));
        assertTrue(!mayConnect(daemon, OTHER_ID));
    }

    @Test
    void disconnectsAFrontEndOfAUserThatIsNotAllowed() throws Exception {
        DaemonProcess daemon = daemons.start("--allow-uid=" + (uid() + 1));

        try (SocketChannel frontEnd = SocketChannel.open(UnixDomainSocketAddress.of(daemon.socket()))) {
            assertEquals(-1, frontEnd.read(ByteBuffer.allocate(1)));
        }

        assertEventually("the log says why", () -> daemon.log().contains("neither --allow-uid nor --allow-gid names"));
    }

    @Test
    void servesAFrontEndOfAnAllowedUser() throws Exception {
        DaemonProcess daemon = daemons.start("--allow-uid=" + (uid() + 1) + "," + uid());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
