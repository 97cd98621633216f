package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jnr.constants.platform.OpenFlags;
import jnr.constants.platform.Signal;
import jnr.constants.platform.WaitFlags;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import jnr.posix.SpawnFileAction;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.PackagedProgram;

/**
 * Tests the daemon as a service: notifications on NOTIFY_SOCKET, and sockets in LISTEN_FDS. The test acts as the
 * service manager.
 */
class ServiceManagerIT {
    private static final POSIX POSIX_CALLS = POSIXFactory.getPOSIX();
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int FIRST_LISTEN_FD = 3;
    /** An unused descriptor number: greater than those of all descriptors that this JVM has open. */
    private static final int UNUSED_FD = 200;

    private static final int MAX_DATAGRAM = 4096;

    @TempDir
    private Path directory;

    private UnixDatagramChannel notifications;
    private final Map<String, String> environment = new TreeMap<>(System.getenv());
    private long pid;

    @BeforeEach
    void openNotifySocket() throws IOException {
        Path path = directory.resolve("notify");
        notifications = UnixDatagramChannel.open();
        notifications.bind(new UnixSocketAddress(path.toFile()));
        environment.put("NOTIFY_SOCKET", path.toString());
    }

    @AfterEach
    void stopDaemon() throws IOException {
        if (pid != 0) {
            POSIX_CALLS.kill(pid, Signal.SIGKILL.intValue());
            POSIX_CALLS.waitpid(pid, new int[1], 0);
        }
        notifications.close();
    }

    /** Starts the daemon by a shell, which sets LISTEN_PID to the daemon's process ID, as systemd does. */
    private void start(List<SpawnFileAction> descriptors, String... options) throws IOException {
        List<SpawnFileAction> actions = new ArrayList<>(descriptors);
        String log = Files.createFile(directory.resolve("log")).toString();
        actions.add(SpawnFileAction.open(log, STDOUT, OpenFlags.O_WRONLY.intValue(), 0));
        actions.add(SpawnFileAction.dup(STDOUT, STDERR));
        List<String> command =
                new ArrayList<>(List.of("/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "service-manager"));
        command.addAll(PackagedProgram.commandLine(options));
        List<String> variables = environment.entrySet().stream()
                .map(variable -> variable.getKey() + "=" + variable.getValue())
                .toList();
        pid = POSIX_CALLS.posix_spawnp(command.getFirst(), actions, command, variables);
    }

    private String nextNotification() throws IOException {
        ByteBuffer datagram = ByteBuffer.allocate(MAX_DATAGRAM);
        notifications.receive(datagram);
        return new String(datagram.array(), 0, datagram.position(), StandardCharsets.UTF_8);
    }

    private int awaitExit() {
        int[] status = new int[1];
        assertEventually(
                "the daemon exits", () -> POSIX_CALLS.waitpid(pid, status, WaitFlags.WNOHANG.intValue()) == pid);
        pid = 0;
        return status[0] >> 8;
    }

    private Path socket(String name) {
        return directory.resolve(name);
    }

    private UnixServerSocketChannel listen(Path path) throws IOException {
        UnixServerSocketChannel listener = UnixServerSocketChannel.open();
        listener.socket().bind(new UnixSocketAddress(path.toFile()));
        return listener;
    }

    /** Starts the daemon with two listening sockets, whose names are {@code web} and {@code db}. */
    private void startWithTwoSockets(String... options) throws IOException {
        UnixServerSocketChannel web = listen(socket("web"));
        UnixServerSocketChannel db = listen(socket("db"));
        environment.put("LISTEN_FDS", "2");
        environment.put("LISTEN_FDNAMES", "rng.socket:rng.socket");
        start(
                List.of(
                        SpawnFileAction.dup(web.getFD(), UNUSED_FD),
                        SpawnFileAction.dup(db.getFD(), UNUSED_FD + 1),
                        SpawnFileAction.dup(UNUSED_FD, FIRST_LISTEN_FD),
                        SpawnFileAction.dup(UNUSED_FD + 1, FIRST_LISTEN_FD + 1)),
                options);
    }

    private static int bytesServed(Path socket, int bytes) throws IOException {
        try (EntropyDriver guest =
                EntropyDriver.start(FrontendSocket.connect(socket), Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT))) {
            return guest.request(bytes, HANG_TIMEOUT).length;
        }
    }

    @Test
    void readyMeansThatTheSocketListens() throws Exception {
        start(List.of(), "--socket-path=" + socket("rng.sock"));

        String ready = nextNotification();

        assertTrue(ready.startsWith("READY=1\nSTATUS=listening on "), ready);
        assertEquals(64, bytesServed(socket("rng.sock"), 64));
    }

    @Test
    void terminationIsAnnounced() throws Exception {
        start(List.of(), "--socket-path=" + socket("rng.sock"));
        nextNotification();

        POSIX_CALLS.kill(pid, Signal.SIGTERM.intValue());
        String stopping = nextNotification();

        assertTrue(stopping.startsWith("STOPPING=1\n"), stopping);
        assertEquals(0, awaitExit());
    }

    @Test
    void theEventLoopFeedsTheWatchdog() throws Exception {
        environment.put("WATCHDOG_USEC", "100000");
        start(List.of(), "--socket-path=" + socket("rng.sock"));
        nextNotification();

        assertEquals("WATCHDOG=1", nextNotification());
        assertEquals("WATCHDOG=1", nextNotification());
    }

    @Test
    void inheritedSocketsServeOneGuestEach() throws Exception {
        startWithTwoSockets();

        assertEquals(64, bytesServed(socket("web"), 64));
        assertEquals(64, bytesServed(socket("db"), 64));
    }

    @Test
    void anInheritedSocketIsNamedAfterItsFile() throws Exception {
        startWithTwoSockets("--guest=web,max-bytes=1000", "--guest=db,max-bytes=1000");

        String ready = nextNotification();

        assertTrue(ready.contains("web") && ready.contains("db"), ready);
    }

    @Test
    void inheritedSocketsExcludeASocketPath() throws Exception {
        startWithTwoSockets("--socket-path=" + socket("rng.sock"));

        int status = awaitExit();

        assertEquals(2, status);
        assertEquals(
                "vhost-user-rng: expected only one of --socket-path=PATH, --connect=PATH, --fd=N and sockets of the"
                        + " service manager (LISTEN_FDS)\n",
                Files.readString(directory.resolve("log")));
    }

    @Test
    void aMalformedNotifySocketIsReported() throws Exception {
        environment.put("NOTIFY_SOCKET", "relative");
        start(List.of(), "--socket-path=" + socket("rng.sock"));

        int status = awaitExit();

        assertEquals(1, status);
        String log = Files.readString(directory.resolve("log"));
        assertTrue(log.startsWith("vhost-user-rng: NOTIFY_SOCKET='relative': expected an absolute path"), log);
    }
}
