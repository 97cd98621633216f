package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.VfioUserEntropyDriver;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.ControlClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests {@code --control-socket} and {@code ctl}: they show and change guests and limits while guests are served. */
@Timeout(300)
class ControlSocketIT {
    private static final String OK = "ok\n";
    private static final int GUESTS_ADDED_AND_REMOVED = 100;
    private static final int SILENT_CLIENTS = 10;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private DaemonProcess daemon;
    private Path control;

    @BeforeEach
    void start() throws IOException, InterruptedException {
        control = daemons.directory().resolve("control");
        daemon = daemons.startWithSockets(2, "--control-socket=" + control, "--max-bytes=64", "--period=60000");
    }

    private String nameOf(int socket) {
        return daemon.socket(socket).getFileName().toString();
    }

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
    }

    private EntropyDriver throttledGuest() throws IOException {
        EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
        guest.request(64, HANG_TIMEOUT);
        offer(guest);
        return guest;
    }

    private PackagedProgram.Result ctl(String... words) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("ctl", "--control-socket=" + control));
        arguments.addAll(List.of(words));
        return PackagedProgram.run(arguments.toArray(String[]::new));
    }

    // --- limits ------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"max-bytes=none", "max-bytes=1000000", "period=1"})
    void throttledGuestIsServedOnceItsLimitIsRaised(String change) throws Exception {
        try (EntropyDriver guest = throttledGuest()) {
            boolean before = guest.awaitUsed(QUIET_PERIOD);

            String response = ControlClient.request(control, "set", nameOf(0), change);

            assertFalse(before);
            assertEquals(OK, response);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void unchangedLimitIsNoRefill() throws Exception {
        try (EntropyDriver guest = throttledGuest()) {
            for (int i = 0; i < 100; i++) {
                ControlClient.request(control, "set", nameOf(0), "max-bytes=64");
                ControlClient.request(control, "set", nameOf(0), "max-bytes=65");
            }

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void totalCanBeSetAndRemoved() throws Exception {
        ControlClient.request(control, "set", nameOf(0), "max-bytes=none");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            String set = ControlClient.request(control, "set-total", "max-bytes=64", "period=60000");
            guest.request(64, HANG_TIMEOUT);
            offer(guest);
            boolean whileLimited = guest.awaitUsed(QUIET_PERIOD);

            String removed = ControlClient.request(control, "set-total", "max-bytes=none");

            assertEquals(OK + OK, set + removed);
            assertFalse(whileLimited);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "max-bytes=0, max-bytes='0': expected a number from 1",
                "max-bytes=abc, max-bytes='abc': expected a number from 1",
                "weight=1001, weight='1001': expected a number from 1 to 1000",
                "limit-mode=fast, limit-mode='fast': expected smooth or window",
                "speed=1, 'speed=1'",
                "max-bytes, 'max-bytes': expected KEY=VALUE"
            })
    void invalidSettingChangesNothing(String change, String reason) throws Exception {
        String before = ControlClient.request(control, "show", nameOf(0));

        String response = ControlClient.request(control, "set", nameOf(0), "ops=5", change);

        assertTrue(response.startsWith("error\t"), response);
        assertTrue(response.contains(reason), response);
        assertEquals(before, ControlClient.request(control, "show", nameOf(0)));
    }

    // --- guests ------------------------------------------------------------------------------------------------------

    @Test
    void requestOfAPausedGuestIsServedWhenItIsResumed() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
                EntropyDriver other = EntropyDriver.start(daemon.socket(1))) {
            String paused = ControlClient.request(control, "pause", nameOf(0));
            offer(guest);
            boolean whilePaused = guest.awaitUsed(QUIET_PERIOD);
            other.request(64, HANG_TIMEOUT);

            String resumed = ControlClient.request(control, "resume", nameOf(0));

            assertEquals(OK + OK, paused + resumed);
            assertFalse(whilePaused);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void drainedGuestIsServedUntilItsFrontEndDisconnects() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            ControlClient.request(control, "set", nameOf(0), "max-bytes=none");

            String drained = ControlClient.request(control, "drain", nameOf(0));

            assertEquals(OK, drained);
            guest.request(64, HANG_TIMEOUT);
            assertTrue(ControlClient.request(control, "show", nameOf(0)).contains("state=draining"));
        }
        assertEventually(
                "the session has ended",
                () -> ControlClient.request(control, "show", nameOf(0)).contains("state=drained"));
    }

    @Test
    void drainedGuestRefusesFrontEndsUntilItIsResumed() throws Exception {
        ControlClient.request(control, "drain", nameOf(0));
        try (SocketChannel refused = ControlClient.connect(daemon.socket(0))) {
            assertEquals(-1, refused.read(ByteBuffer.allocate(1)));
        }

        String resumed = ControlClient.request(control, "resume", nameOf(0));

        assertEquals(OK, resumed);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            guest.request(64, HANG_TIMEOUT);
        }
    }

    @Test
    void addedGuestIsServed() throws Exception {
        Path socket = daemons.directory().resolve("added");

        String response = ControlClient.request(control, "add", socket.toString(), "max-bytes=64", "period=60000");

        assertEquals(OK, response);
        try (EntropyDriver guest = EntropyDriver.start(socket)) {
            guest.request(64, HANG_TIMEOUT);
            offer(guest);
            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void guestIsAddedForVfioUser() throws Exception {
        Path socket = daemons.directory().resolve("added");

        String response = ControlClient.request(control, "add", "vfio-user=" + socket, "max-bytes=64", "period=60000");

        assertEquals(OK, response);
        try (VfioUserEntropyDriver guest = VfioUserEntropyDriver.start(socket, HANG_TIMEOUT)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            guest.makeAvailableAndKick(64);
            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
        assertTrue(ControlClient.request(control, "show", "added").contains("listening for vfio-user on " + socket));
    }

    @Test
    void addedGuestOfVfioUserIsRemovedWithItsSessionAndItsSocket() throws Exception {
        Path socket = daemons.directory().resolve("added");
        ControlClient.request(control, "add", "vfio-user=" + socket);

        try (VfioUserEntropyDriver guest = VfioUserEntropyDriver.start(socket, HANG_TIMEOUT)) {
            String response = ControlClient.request(control, "remove", "added");

            assertEquals(OK, response);
            assertTrue(guest.client().awaitClosed(HANG_TIMEOUT));
            assertFalse(Files.exists(socket));
        }
    }

    @Test
    void vfioUserSocketWithoutAPathIsNotAdded() throws Exception {
        String response = ControlClient.request(control, "add", "vfio-user=");

        assertTrue(response.contains("expected a path of 1 to 107 bytes"), response);
    }

    @Test
    void guestOfASocketThatCannotBeBoundIsNotAdded() throws Exception {
        String before = ControlClient.request(control, "list");

        String missing = ControlClient.request(
                control, "add", daemons.directory().resolve("missing/socket").toString());
        String taken = ControlClient.request(control, "add", daemon.socket(0).toString());

        assertTrue(missing.startsWith("error\tadd: "), missing);
        assertTrue(taken.contains("guest '" + nameOf(0) + "' exists already"), taken);
        assertEquals(before, ControlClient.request(control, "list"));
    }

    @Test
    void removedGuestLosesItsSessionAndItsSocket() throws Exception {
        try (EntropyDriver removed = EntropyDriver.start(daemon.socket(0));
                EntropyDriver other = EntropyDriver.start(daemon.socket(1))) {
            String response = ControlClient.request(control, "remove", nameOf(0));

            assertEquals(OK, response);
            assertTrue(removed.session().socket().awaitClosed(HANG_TIMEOUT));
            assertFalse(Files.exists(daemon.socket(0)));
            other.request(64, HANG_TIMEOUT);
        }
    }

    @Test
    void guestsThatAreAddedAndRemovedLeaveNothing() throws Exception {
        Path socket = daemons.directory().resolve("added");
        int fds = daemon.settledFdTargets().size();

        for (int i = 0; i < GUESTS_ADDED_AND_REMOVED; i++) {
            assertEquals(OK, ControlClient.request(control, "add", socket.toString()));
            try (EntropyDriver guest = EntropyDriver.start(socket)) {
                guest.request(64, HANG_TIMEOUT);
                assertEquals(OK, ControlClient.request(control, "remove", "added"));
            }
        }

        assertEventually(
                "as many file descriptors as before",
                () -> daemon.openFdTargets().size() == fds);
        assertFalse(ControlClient.request(control, "list").contains("guest=added"));
    }

    // --- log and health -------------------------------------------------------------------------------------------

    @Test
    void logLevelChangesWhileTheDaemonRuns() throws Exception {
        String before = ControlClient.request(control, "log-level");
        String set = ControlClient.request(control, "log-level", "error");
        ControlClient.request(control, "pause", nameOf(0));
        String unknown = ControlClient.request(control, "log-level", "loud");

        assertEquals("ok\nlog-level=info\n", before);
        assertEquals(OK, set);
        assertFalse(daemon.log().contains("control: pause"), daemon.log());
        assertTrue(unknown.contains("level='loud': expected error, warn, info or debug"), unknown);
    }

    @Test
    void healthyDaemonIsOk() throws Exception {
        PackagedProgram.Result result = ctl("health");

        assertEquals(0, result.status(), result.stderr());
        assertTrue(result.stdout().startsWith("status:           ok\n"), result.stdout());
    }

    @Test
    void healthNamesASocketThatNoFrontEndCanReach() throws Exception {
        Files.delete(daemon.socket(0));
        Files.createDirectory(daemon.socket(0));

        assertEventually(
                "the daemon is degraded",
                () -> ControlClient.request(control, "health").startsWith("ok\nstatus=degraded\t"));
        PackagedProgram.Result result = ctl("health", "--json");

        assertEquals(1, result.status());
        assertTrue(result.stdout().contains("\"status\": \"degraded\""), result.stdout());
        assertTrue(result.stdout().contains("guest " + nameOf(0) + ": new front-ends cannot connect"), result.stdout());
    }

    // --- clients -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {"", "\n", "vhost-user-rng/1\n", "vhost-user-rng/2\tlist\n", "list\n", "vhost-user-rng/1\tfly\n"})
    void invalidRequestIsRefused(String request) throws Exception {
        byte[] bytes = request.getBytes(StandardCharsets.UTF_8);

        String response =
                bytes.length == 0 ? ControlClient.send(control, new byte[4096]) : ControlClient.send(control, bytes);

        assertTrue(response.startsWith("error\t"), response);
        assertTrue(ControlClient.request(control, "health").startsWith(OK));
    }

    @Test
    void silentClientsDelayNobody() throws Exception {
        List<SocketChannel> silent = new ArrayList<>();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(1))) {
            for (int i = 0; i < SILENT_CLIENTS; i++) {
                silent.add(ControlClient.connect(control));
            }

            guest.request(64, HANG_TIMEOUT);
            assertTrue(ControlClient.request(control, "health").startsWith(OK));
        } finally {
            for (SocketChannel client : silent) {
                client.close();
            }
        }
    }

    // --- ctl ---------------------------------------------------------------------------------------------------------

    @Test
    void ctlListsTheGuestsAsATable() throws Exception {
        PackagedProgram.Result result = ctl("list");

        assertEquals(0, result.status(), result.stderr());
        List<String> lines = result.stdout().lines().toList();
        assertTrue(lines.getFirst().startsWith("guest"), result.stdout());
        assertTrue(lines.get(1).startsWith(nameOf(0)), result.stdout());
        assertTrue(lines.get(2).startsWith(nameOf(1)), result.stdout());
    }

    @Test
    void ctlPrintsJson() throws Exception {
        PackagedProgram.Result result = ctl("show", nameOf(0), "--json");

        assertEquals(0, result.status(), result.stderr());
        assertTrue(result.stdout().startsWith("[{\"guest\": \"" + nameOf(0) + "\""), result.stdout());
        assertTrue(result.stdout().contains("\"max-bytes\": 64,"), result.stdout());
    }

    @Test
    void ctlListsTheNamesOfTheGuests() throws Exception {
        PackagedProgram.Result result = ctl("list", "--names");

        assertEquals(0, result.status(), result.stderr());
        assertEquals(nameOf(0) + "\n" + nameOf(1) + "\n", result.stdout());
    }

    @Test
    void ctlReportsWhatTheDaemonRefuses() throws Exception {
        PackagedProgram.Result result = ctl("show", "nobody");

        assertEquals(1, result.status());
        assertEquals(
                "vhost-user-rng ctl: show: no guest 'nobody'", result.stderr().strip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rm control", "mv control moved", "rm control; : >other; ln other control; rm control"})
    void socketIsReachableAgainAfterItsFileHasChanged(String change) throws Exception {
        assertEquals(
                0,
                HostCommand.run(Map.of(), daemons.directory(), List.of("sh", "-c", change))
                        .status());

        assertEventually("ctl reaches the daemon", () -> ctl("list").status() == 0);
        assertTrue(daemon.log().contains("listening on it again"));
    }

    @Test
    void ctlReloads() throws Exception {
        PackagedProgram.Result result = ctl("reload");

        assertEquals(0, result.status(), result.stderr());
        assertTrue(daemon.log().contains("settings reloaded"), daemon.log());
    }
}
